"""Makes signature files of any size for measurements, the same ones from the same arguments.

Their shapes follow published databases: sizes of hashed files spread over five decades, body signatures of text,
machine code and noise, logical signatures of one to twenty-four parts. Each literal carries random bytes, so that ordinary
files match none of them.

  python3 signatures.py DIRECTORY COUNT [--profile official|body|hash] [--seed TEXT]
"""

import argparse
import bisect
import hashlib
import math
import os
import random

# Shares of the kinds of signatures.
PROFILES = {
    "official": {"mdb": 0.45, "hsb": 0.38, "hdb": 0.12, "ldb": 0.035, "ndb": 0.015},
    "body": {"ldb": 0.7, "ndb": 0.3},
    "hash": {"hdb": 0.5, "hsb": 0.5},
}

WORDS = (
    "http:// www. .exe .dll cmd /c powershell eval( base64_decode function document unescape String fromCharCode window "
    "Software\\Microsoft\\Windows CurrentVersion Run kernel32 GetProcAddress LoadLibrary VirtualAlloc CreateRemoteThread "
    "mutex download update invoice payment account password verify bank login .php index gate panel bot install temp "
    "appdata shell exec open read write socket connect send recv hook inject crypt decode xor key loader stub agent"
).split()
FAMILIES = "Agent Alureon Bancos Bifrose Cutwail Delf Dorkbot Emotet Fareit Gamarue Hupigon Kazy Ledor Mirai Mydoom Netsky " \
    "Obvod Poison Qakbot Ramnit Sality Tepfer Upatre Vobfus Waledac Xtrat Yakes Zbot".split()
KINDS = [("Win.Trojan", 40), ("Win.Malware", 25), ("Win.Dropper", 8), ("Win.Packed", 6), ("Win.Ransomware", 4),
         ("Doc.Dropper", 4), ("Html.Phishing", 3), ("Js.Downloader", 3), ("Unix.Trojan", 4), ("Pdf.Exploit", 3)]
# Bytes of machine code, the common ones first: each is half as likely as the one three places before it.
CODE = bytes.fromhex("00ff8b4889e82483850f745075c08d456a55ec01c733c304085d02eb10907cfc0666e9c9f4a1b8ba3bc1e081")
FILE_SIZES = [(0, 29), (10, 5500), (25, 12200), (50, 65000), (75, 190000), (90, 960000), (99, 4500000), (100, 60000000)]
SECTION_SIZES = [(0, 512), (10, 4096), (25, 12288), (50, 40960), (75, 122880), (90, 450560), (99, 2500000),
                 (100, 20000000)]
BODY_LENGTHS = [(0, 10), (10, 32), (25, 43), (50, 72), (75, 143), (90, 150), (99, 512), (100, 1024)]
PART_LENGTHS = [(0, 4), (10, 6), (25, 10), (50, 16), (75, 27), (90, 64), (99, 128), (100, 400)]
PART_COUNTS = [(1, 2), (2, 3), (3, 43), (4, 2), (5, 43), (6, 3), (8, 3), (16, 1)]


def quantiles(points, count=4096):
    """`count` values spread like these percentiles, between them in geometric progression."""
    table = []
    shares = [share for share, _ in points]
    for index in range(count):
        share = 100 * (index + 0.5) / count
        at = min(bisect.bisect_right(shares, share), len(points) - 1)
        (low, least), (high, most) = points[at - 1], points[at]
        table.append(int(math.exp(math.log(least) + (share - low) / (high - low) * (math.log(most) - math.log(least)))))
    return table


def weighted(pairs):
    return [value for value, weight in pairs for _ in range(weight)]


class Noise:
    """Random bytes in bulk: SHAKE-256 of a key."""

    def __init__(self, key):
        self.key = key
        self.number = 0

    def take(self, count):
        self.number += 1
        return hashlib.shake_256(f"{self.key}|{self.number}".encode()).digest(count)


class Maker:
    def __init__(self, seed):
        self.seed = seed
        self.file_sizes = quantiles(FILE_SIZES)
        self.section_sizes = [max(512, size & ~511) for size in quantiles(SECTION_SIZES)]
        self.body_lengths = quantiles(BODY_LENGTHS, 1024)
        self.part_lengths = quantiles(PART_LENGTHS, 1024)
        self.part_counts = weighted(PART_COUNTS)
        self.names = [f"{kind}.{family}" for kind in weighted(KINDS) for family in FAMILIES]
        self.code = bytes(byte for index, byte in enumerate(CODE) for _ in range(max(1, int(64 * 0.5 ** (index / 3)))))

    # ---- hashes, in blocks

    def hashes(self, kind, count):
        """Lines of .hdb, .hsb or .mdb."""
        noise = Noise(f"{self.seed}|{kind}")
        names = self.names
        sizes = self.section_sizes if kind == "mdb" else self.file_sizes
        for start in range(0, count, 10_000):
            amount = min(10_000, count - start)
            digests = noise.take(32 * amount).hex()
            choice = noise.take(4 * amount)
            lines = []
            for index in range(amount):
                first = choice[4 * index] | choice[4 * index + 1] << 8
                second = choice[4 * index + 2] | choice[4 * index + 3] << 8
                name = f"Bench.{names[second % len(names)]}-{kind}{start + index}-0"
                size = sizes[first & 4095]
                if kind == "mdb":
                    lines.append(f"{size}:{digests[64 * index:64 * index + 32]}:{name}")
                elif kind == "hdb":
                    # No two files that happen to be near in the table have the same size.
                    lines.append(f"{digests[64 * index:64 * index + 32]}:{size + (first >> 12)}:{name}")
                else:
                    length = 64 if index & 1 else 32
                    lines.append(f"{digests[64 * index:64 * index + length]}:{size + (first >> 12)}:{name}:73")
            yield "\n".join(lines) + "\n"

    # ---- bodies, one by one

    def literal(self, dice, length):
        """Text, code or noise, with random bytes in the middle."""
        share = dice.random()
        if share < 0.45:
            text = ""
            while len(text) < length:
                text += dice.choice(WORDS) if dice.random() < 0.8 else f"{dice.getrandbits(16):x}"
            content = text[:length].encode()
        elif share < 0.85:
            content = bytes(dice.choices(self.code, k=length))
        else:
            content = dice.randbytes(length)
        if length >= 8:
            middle = length // 2 - 2
            content = content[:middle] + dice.randbytes(4) + content[middle + 4:]
        return content

    @staticmethod
    def wildcards(dice, content, count):
        """The bytes in hex digits, with `count` wildcards between runs of at least five bytes."""
        count = min(count, (len(content) - 5) // 7)
        digits = content.hex()
        if count < 1:
            return digits
        step = len(content) // (count + 1)
        parts, last = [], 0
        for index in range(1, count + 1):
            at = 2 * step * index
            byte = digits[at:at + 2]
            low = dice.randrange(1, 40)
            parts += [digits[last:at], dice.choice([
                "*" + byte, "*" + byte, "??", f"{{{low}}}" + byte, f"{{{low}-{low + dice.randrange(1, 60)}}}" + byte,
                f"{{-{low}}}" + byte, f"({byte}|{dice.getrandbits(8):02x})", "?" + byte[1], byte[0] + "?"])]
            last = at + 2
        return "".join(parts) + digits[last:]

    def body(self, dice, number):
        """A line of .ndb."""
        target = dice.choice([1, 1, 1, 0, 0, 7, 7, 2, 2, 6, 3, 4])
        content = self.literal(dice, dice.choice(self.body_lengths))
        text = self.wildcards(dice, content, dice.randrange(1, 4)) if dice.random() < 0.45 else content.hex()
        share = dice.random()
        if share < 0.86:
            place = "*"
        elif share < 0.95:
            place = str(dice.choice([0, 0, 4, 64, 512]))
        elif share < 0.97:
            place = f"{dice.randrange(64)},{dice.randrange(1, 2048)}"
        elif target in (1, 6):
            place = f"EP+{dice.randrange(200)}"
        else:
            place = f"EOF-{dice.randrange(32, 4096)}"
        return f"Bench.{dice.choice(self.names)}-n{number}-0:{target}:{place}:{text}"

    def logical(self, dice, number):
        """A line of .ldb."""
        target = dice.choices([1, 2, 0, 3, 7, 6], [88, 6, 3, 1, 1, 1])[0]
        count = dice.choice(self.part_counts)
        style = dice.random()
        parts = []
        for index in range(count):
            content = self.literal(dice, max(dice.choice(self.part_lengths), 14 if count == 1 or index == 0 else 4))
            text = self.wildcards(dice, content, 1) if style < 0.4 and index == 0 else content.hex()
            # Some parts ignore the case, some also match text of two-byte characters.
            if style > 0.82 and dice.random() < 0.6:
                text += "::w"
            elif style > 0.4 and dice.random() < 0.3:
                text += "::i"
            parts.append(text)
        share = dice.random()
        names = [str(index) for index in range(count)]
        if count < 3 or share < 0.95:
            expression = "&".join(names)
        elif share < 0.98:
            expression = f"0&({'|'.join(names[1:])})>1"
        else:
            expression = f"({'|'.join(names[:2])})&{'&'.join(names[2:])}"
        size = f"FileSize:{dice.randrange(100, 10000)}-{dice.randrange(20000, 9000000)}," if dice.random() < 0.02 else ""
        return (f"Bench.{dice.choice(self.names)}-l{number}-0;Engine:81-255,{size}Target:{target};{expression};"
                + ";".join(parts))

    def bodies(self, kind, count):
        dice = random.Random(f"{self.seed}|{kind}")
        make = self.body if kind == "ndb" else self.logical
        for start in range(0, count, 1_000):
            yield "".join(make(dice, number) + "\n" for number in range(start, min(count, start + 1_000)))


def make(directory, count, profile="official", seed="1"):
    """Writes `bench.<kind>` files with `count` signatures altogether; one single signature is a hash."""
    os.makedirs(directory, exist_ok=True)
    maker = Maker(seed)
    shares = PROFILES[profile] if count > 1 else {"hdb": 1}
    for kind, share in shares.items():
        amount = round(count * share)
        blocks = maker.bodies(kind, amount) if kind in ("ndb", "ldb") else maker.hashes(kind, amount)
        if amount:
            with open(os.path.join(directory, f"bench.{kind}"), "w") as file:
                file.writelines(blocks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes signature files for measurements.")
    parser.add_argument("directory")
    parser.add_argument("count", type=int)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="official")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    make(options.directory, options.count, options.profile, options.seed)
