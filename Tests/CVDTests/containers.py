"""Makes containers of signatures and scripts of changes with keys of its own.

The formats are those of docs.clamav.net (CVD header, .info member); needs openssl.
"""
import gzip, hashlib, io, os, subprocess, tarfile

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"


def run(*arguments, data=None):
    return subprocess.run(arguments, input=data, capture_output=True, check=True).stdout


def key(bits):
    pem = run("openssl", "genrsa", str(bits))
    text = run("openssl", "rsa", "-text", "-noout", data=pem).decode()

    def number(name):
        lines = text.split(name + ":\n")[1].split("\n")
        digits = ""
        for line in lines:
            if not line.startswith("    "):
                break
            digits += line.strip().replace(":", "")
        return int(digits, 16)

    return number("modulus"), 65537, number("privateExponent")


def written(value):
    text = ""
    while value:
        text += LETTERS[value & 63]
        value >>= 6
    return text


def mgf1(seed, length):
    out = b""
    for i in range((length + 31) // 32):
        out += hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
    return out[:length]


def pss(digest, n, d):
    size = 256
    salt = os.urandom(32)
    h = hashlib.sha256(b"\0" * 8 + digest + salt).digest()
    block = b"\0" * (size - 32 - 32 - 2) + b"\1" + salt
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(h, len(block))))
    masked[0] &= 0xFF >> (8 * size - (n.bit_length() - 1))
    return pow(int.from_bytes(bytes(masked) + h + b"\xbc", "big"), d, n)


class Publisher:
    """Keys that are thrown away, and what they sign."""

    def __init__(self):
        self.container, self.information, self.script = key(1024), key(2048), key(2048)

    def print_numbers(self):
        for name in ("container", "information", "script"):
            print(name, getattr(self, name)[0])

    def info(self, fields, files):
        """The .info member: what is in the container, signed."""
        text = (fields % ("X", "X")).encode() + b"\n"
        for name, content in files.items():
            text += b"%s:%d:%s\n" % (name.encode(), len(content), hashlib.sha256(content).hexdigest().encode())
        n, e, d = self.information
        return text + b"DSIG:" + written(pss(hashlib.sha256(text).digest(), n, d)).encode() + b"\n"

    def cvd(self, name, fields, files):
        """A released container; `fields` is its header with two places for MD5 and signature."""
        packed = gzip.compress(archive(name, self.info(fields, files), files), mtime=0)
        n, e, d = self.container
        digest = hashlib.md5(packed).digest()
        return (fields % (digest.hex(), written(pow(int.from_bytes(digest, "big"), d, n)))).encode().ljust(512) + packed

    def cdiff(self, version, script):
        """A script of changes."""
        signed = b"ClamAV-Diff:%d:%d:" % (version, len(script)) + gzip.compress(script, mtime=0)
        n, e, d = self.script
        return signed + b":" + written(pss(hashlib.sha256(signed).digest(), n, d)).encode()


def archive(name, info, files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member, content in [("COPYING", b"A licence.\n"), (name + ".info", info), *files.items()]:
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    plain = out.getvalue().rstrip(b"\0") + b"\0" * 1024
    return plain + b"\0" * (-len(plain) % 512)


def changes(name, before, after):
    """The script that makes the lines of one file those of another: lines that differ are exchanged, the rest goes or comes."""
    old, new = before.decode().splitlines(), after.decode().splitlines()
    lines = [f"OPEN {name}"]
    for number, line in enumerate(old, 1):
        if number > len(new):
            lines.append(f"DEL {number} {line[:16].split(' ')[0]}")
        elif line != new[number - 1]:
            lines.append(f"XCHG {number} {line[:16].split(' ')[0]} {new[number - 1]}")
    lines += [f"ADD {line}" for line in new[len(old):]]
    return "\n".join(lines + ["CLOSE"]).encode() + b"\n"
