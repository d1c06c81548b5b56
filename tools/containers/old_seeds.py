"""Old archives for the fuzzers: by hand, as few tools make them, and by those that do with every option."""

import bz2
import functools
import lzma
import os
import struct
import zlib

from seeds import TEXT, conditions, raw_deflate, seed
from tool import Folder

END = struct.pack("<I", 0x08e28222)


def egg_field(magic, data, long=False):
    return struct.pack("<IB", magic, 1 if long else 0) + struct.pack("<I" if long else "<H", len(data)) + data


def egg_block(method, packed, size=len(TEXT), fields=b""):
    return struct.pack("<IBBIII", 0x02b50c13, method, 0, size, len(packed), 0) + fields + END + packed


def egg(blocks, fields=b"", head=b"", name=b"a.txt"):
    file = struct.pack("<IIQ", 0x0a8590e3, 1, len(TEXT)) + egg_field(0x0a8591ac, name) + fields + END
    return b"EGGA" + struct.pack("<HII", 0x100, 1, 0) + head + END + file + blocks + END


EGG_LZMA = b"\x09\x14\x05\0" + b"\x5d" + struct.pack("<I", 1 << 16) + lzma.compress(
    TEXT, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}])
BLOCKS = {"stored": (0, TEXT), "deflate": (1, raw_deflate(TEXT)), "bzip2": (2, bz2.compress(TEXT)), "azo": (3, TEXT), "lzma": (4, EGG_LZMA),
          "deflate-damaged": (1, b"\xff" * 40), "bzip2-damaged": (2, b"\xff" * 40), "lzma-damaged": (4, b"\xff" * 40), "lzma-short": (4, b"x")}
for name, (method, packed) in BLOCKS.items():
    seed("EGG", name)(lambda method=method, packed=packed: egg(egg_block(method, packed)))
    for limit, values in {"total": {"total": 2}, "memory": {"memory": 2}}.items():
        seed("EGG", f"{name}-{limit}")(lambda method=method, packed=packed, values=values: conditions(
            egg(egg_block(method, packed) * 2), **values))
for name, made in {
    "encrypted": lambda: egg(egg_block(0, TEXT), egg_field(0x08d1470f, b"\0" * 17)),
    "solid": lambda: egg(egg_block(0, TEXT), head=egg_field(0x24e5a060, b"")), "long-field": lambda: egg(egg_block(0, TEXT), egg_field(0x04c63672, b"c" * 9, True)),
    "two-files": lambda: egg(egg_block(0, TEXT)) + egg(egg_block(1, raw_deflate(TEXT)))[18:], "no-head": lambda: b"EGGA" + bytes(30),
    "cut-head": lambda: egg(b"")[:16] + b"\0", "cut-block": lambda: egg(egg_block(0, TEXT))[:-30], "cut-field": lambda: egg(b"", egg_field(1, b"x" * 40))[:-30],
    "block-fields": lambda: egg(egg_block(0, TEXT, fields=egg_field(9, b"x"))), "block-cut": lambda: egg(egg_block(0, TEXT)[:20]),
    "other-magic": lambda: egg(b"") + b"other", "field-at-end": lambda: egg(b"")[:14] + struct.pack("<I", 5), "field-no-size": lambda: egg(b"")[:14] + struct.pack("<IB", 5, 0),
}.items():
    seed("EGG", name)(made)


def alz(method=2, description=0x10, packed=None, name=b"a.txt", width=None):
    packed = raw_deflate(TEXT) if packed is None else packed
    width = description >> 4 if width is None else width
    head = b"BLZ\x01" + struct.pack("<HBIBB", len(name), 0x20, 0, description, 0)
    if description >> 4:
        head += bytes([method, 0]) + struct.pack("<I", zlib.crc32(TEXT)) + len(packed).to_bytes(8, "little")[:width] + len(TEXT).to_bytes(8, "little")[:width]
    return head + name + (bytes(12) if description & 1 else b"") + packed


for name, made in {
    "deflate": lambda: alz(), "stored": lambda: alz(0, packed=TEXT), "bzip2": lambda: alz(1), "width-8": lambda: alz(description=0x80),
    "width-9": lambda: alz(description=0x90, width=8), "encrypted": lambda: alz(description=0x11), "no-size": lambda: alz(description=0, packed=b""),
    "damaged": lambda: alz(packed=b"\xff" * 30), "cut": lambda: alz(description=0x20)[:-9], "two": lambda: alz() + alz(0, packed=TEXT) + b"CLZ\x01",
}.items():
    seed("ALZ", name)(lambda made=made: b"ALZ\x01\x0a\0\0\0" + made())
    seed("ALZ", name + "-total")(lambda made=made: conditions(b"ALZ\x01\x0a\0\0\0" + made(), total=2))


def ace(kind=1, flags=1, method=0, packed=TEXT, name=b"a.txt", size=None):
    body = bytes([kind]) + struct.pack("<H", flags)
    if kind == 1:
        body += struct.pack("<II", len(packed), len(TEXT)) + bytes(8) + struct.pack("<I", 0) + bytes([method, 0]) + bytes(4) + struct.pack("<H", len(name)) + name
    else:
        body += b"**ACE**" + bytes(30)
    return struct.pack("<HH", 0, len(body) if size is None else size) + body + (packed if kind == 1 else b"")


for name, made in {
    "stored": lambda: ace(), "packed": lambda: ace(method=1), "encrypted": lambda: ace(flags=0x4001), "no-data": lambda: ace(packed=b""),
    "other": lambda: ace(kind=2, flags=0) + ace(), "short": lambda: ace(size=2), "cut": lambda: ace()[:-50], "two": lambda: ace() * 2,
}.items():
    seed("ACE", name)(lambda made=made: ace(kind=0, flags=0) + made())


def sis(packed=True, languages=1, records=((0, TEXT),), damage=None):
    head = bytearray(100)
    struct.pack_into("<III", head, 0, 0x10000000, 0, 0x10000419)
    struct.pack_into("<HH", head, 18, languages, len(records))
    struct.pack_into("<H", head, 36, 0 if packed else 8)
    struct.pack_into("<I", head, 52, 100)
    sizes = [28 + 12 * languages if kind == 0 else 8 + len(data) if kind in (3, 4) else 4 for kind, data in records]
    place, rows, area = 100 + sum(sizes), b"", b""
    for kind, data in records:
        if kind in (3, 4):
            rows += struct.pack("<II", kind, len(data)) + data
            continue
        if kind:
            rows += struct.pack("<I", kind)
            continue
        name = "C:\\a.txt".encode("utf-16-le")
        content = zlib.compress(data) if packed else data
        content = b"damaged" * 5 if damage == "damaged" else content[:-9] if damage == "short" else content
        row = struct.pack("<IIIIIII", 0, 0, 0, len(name), place + len(area), 0, 0)
        area += name
        places = place + len(area)
        area += content
        rows += row + struct.pack("<I", len(content) if damage != "size" else 1 << 20) * languages + struct.pack("<I", places) * languages + struct.pack("<I", len(data)) * languages
    return bytes(head) + rows + area


for name, made in {
    "packed": lambda: sis(), "plain": lambda: sis(False), "languages": lambda: sis(languages=3), "damaged": lambda: sis(damage="damaged"),
    "short": lambda: sis(damage="short"), "size": lambda: sis(damage="size"), "conditions": lambda: sis(records=((3, b"abcd"), (5, b""), (4, b"x"), (6, b""), (0, TEXT))),
    "unknown": lambda: sis(records=((9, b""),)), "empty": lambda: sis(records=((0, b""), (0, TEXT)), packed=False), "cut": lambda: sis(records=((3, b"abcd"), (0, TEXT)))[:110],
    "total": lambda: conditions(sis(), total=2),
}.items():
    seed("SIS", name)(made)


def hwp(packed=1, password=0, more=0, body=None):
    properties = bytearray(128)
    struct.pack_into("<H", properties, 96, password)
    properties[124] = packed
    struct.pack_into("<H", properties, 126, more)
    body = (raw_deflate(TEXT) if packed else TEXT) if body is None else body
    return b"HWP Document File V3.00 \x1a\1\2\3\4\5" + bytes(properties) + bytes(1008) + bytes(more) + body


for name, made in {
    "packed": lambda: hwp(), "plain": lambda: hwp(0), "password": lambda: hwp(password=7), "more": lambda: hwp(more=9), "damaged": lambda: hwp(body=b"\xff" * 30),
    "short": lambda: hwp(body=raw_deflate(TEXT)[:-5]), "head": lambda: hwp()[:100], "total": lambda: conditions(hwp(), total=2),
}.items():
    seed("HWP", name)(made)


def szdd(form=0, size=len(TEXT), data=None, name=b""):
    packed = data if data is not None else b"".join(b"\xff" + TEXT[at:at + 8] for at in range(0, 80, 8)) + b"\0" + b"\xee\xf0" * 8 + b"\xf0\xef\x0f" * 6
    head = b"SZDD\x88\xf0\x27\x33A" + b"E" + struct.pack("<I", size) if form == 0 else b"SZ \x88\xf0\x27\x33\xd1" + struct.pack("<I", size)
    return conditions(head + packed, name=name) if name else head + packed


for name, made in {
    "setup": lambda: szdd(), "basic": lambda: szdd(1), "named": lambda: szdd(name=b"SETUP.EX_"), "named-other": lambda: szdd(name=b"SETUP.EXE"),
    "long": lambda: szdd(size=1 << 20), "short": lambda: szdd(size=5), "pair-cut": lambda: szdd(data=b"\0\xee"), "spaces": lambda: szdd(data=b"\0\x00\x0f\x10\xff" * 4),
    "total": lambda: conditions(szdd(), total=2), "total-3": lambda: conditions(szdd(), total=3),
}.items():
    seed("SZDD", name)(made)


def wim(*options, size=1, content=None):
    with Folder("a.txt", content if content is not None else TEXT * size) as folder:
        os.mkdir(os.path.join(folder.path, "tree"))
        os.rename(os.path.join(folder.path, "a.txt"), os.path.join(folder.path, "tree", "a.txt"))
        folder.run("wimlib-imagex", "capture", "tree", "out.wim", "--no-acls", *options)
        return folder.read("out.wim")


NOISE = b"".join(struct.pack("<I", zlib.crc32(bytes([n & 255, n >> 8]))) for n in range(3000))
for name, options in {"none": ["--compress=none"], "xpress": ["--compress=XPRESS"], "lzx": ["--compress=LZX"], "lzms": ["--compress=LZMS"], "solid": ["--solid"]}.items():
    seed("WIM", name)(lambda options=options: wim(*options))
    seed("WIM", name + "-long")(lambda options=options: wim(*options, size=900))
    seed("WIM", name + "-mixed")(lambda options=options: wim(*options, content=bytes(range(256)) * 40 + NOISE + TEXT * 99 + b"\xe8\1\2\3\4" * 300 + NOISE[:4000] * 2))
    for limit, values in {"total": {"total": 3}, "memory": {"memory": 18}}.items():
        seed("WIM", f"{name}-{limit}")(lambda options=options, values=values: conditions(wim(*options, size=900), **values))


def squashfs(*options, content=TEXT):
    with Folder("a.txt", content) as folder:
        os.mkdir(os.path.join(folder.path, "tree"))
        os.rename(os.path.join(folder.path, "a.txt"), os.path.join(folder.path, "tree", "a.txt"))
        os.symlink("a.txt", os.path.join(folder.path, "tree", "link"))
        folder.write("tree/sub/b.txt", TEXT * 2000)
        folder.write("tree/sub/empty", b"")
        with open(os.path.join(folder.path, "tree", "sparse"), "wb") as out:
            out.truncate(1 << 20)
        folder.run("mksquashfs", "tree", "out.sq", "-quiet", "-no-progress", "-b", "4096", *options)
        return folder.read("out.sq")


for compression in ("gzip", "lzo", "lz4", "xz", "zstd"):
    seed("SQUASHFS", compression)(lambda compression=compression: squashfs("-comp", compression))
    for limit, values in {"total": {"total": 3}, "memory": {"memory": 18}, "memory-more": {"memory": 40}, "checks": {"checks": 9}}.items():
        seed("SQUASHFS", f"{compression}-{limit}")(lambda compression=compression, values=values: conditions(squashfs("-comp", compression), **values))
for name, options in {"plain": ["-noI", "-noD", "-noF"], "no-fragments": ["-no-fragments"], "noise": ["-noI"], "exports": ["-no-exports", "-no-xattrs"]}.items():
    seed("SQUASHFS", name)(lambda options=options: squashfs(*options, content=NOISE))


def arj(*options, content=TEXT):
    with Folder("a.txt", content) as folder:
        folder.run("arj", "a", "-y", *options, "out.arj", "a.txt")
        return folder.read("out.arj")


for name, options in {"0": ["-m0"], "1": ["-m1"], "2": ["-m2"], "3": ["-m3"], "4": ["-m4"], "garbled": ["-gpassword"]}.items():
    seed("ARJ", "method-" + name)(lambda options=options: arj(*options))
    seed("ARJ", f"method-{name}-mixed")(lambda options=options: arj(*options, content=NOISE + TEXT * 40 + NOISE))
    for limit, values in {"total": {"total": 3}, "memory": {"memory": 2}}.items():
        seed("ARJ", f"method-{name}-{limit}")(lambda options=options, values=values: conditions(arj(*options, content=TEXT * 40), **values))


# ---------------------------------------------------------------- AutoIt

def key_stream(seed_value, new):
    mask = 0xffffffff
    if new:
        value, state = seed_value & 0xffff, []
        for _ in range(17):
            value = (1 - value * 0x53a9b4fb) & mask
            state.append(value)
        one, other = 0, 10

        def step():
            nonlocal one, other
            roll = lambda number, by: (number << by | number >> 32 - by) & mask  # noqa: E731
            value = (roll(state[one], 9) + roll(state[other], 13)) & mask
            state[one] = value
            one, other = (one - 1) % 17, (other - 1) % 17
            return value
        for _ in range(9):
            step()
        while True:
            step()
            yield step() >> 24
    state = [seed_value & mask]
    for place in range(1, 624):
        state.append((place + 0x6c078965 * (state[-1] >> 30 ^ state[-1])) & mask)
    while True:
        for place in range(624):
            value = state[place] & 0x80000000 | state[(place + 1) % 624] & 0x7fffffff
            state[place] = state[(place + 397) % 624] ^ value >> 1 ^ (0x9908b0df if value & 1 else 0)
        for value in list(state):
            value ^= value >> 11
            value ^= value << 7 & 0x9d2c5680
            value ^= value << 15 & 0xefc60000
            value ^= value >> 18
            yield value >> 1 & 255


def hidden(data, key, new):
    return bytes(byte ^ other for byte, other in zip(data, key_stream(key & 0xffffffff, new)))


def autoit_packed(text, new, copies=((3, 3), (40, 8)), size=None):
    bits = []

    def put(value, width):
        bits.extend(value >> width - 1 - place & 1 for place in range(width))

    def length(value):
        for width, full in ((2, 3), (3, 7), (5, 31), (8, 255)):
            if value < full:
                return put(value, width)
            put(full, width)
            value -= full
        while value >= 255:
            put(255, 8)
            value -= 255
        put(value, 8)
    for byte in text:
        put(1 if new else 0, 1)
        put(byte, 8)
    total = len(text)
    for distance, count in copies:
        put(0 if new else 1, 1)
        put(distance, 15)
        length(count - 3)
        total += count
    bits += [0] * (-len(bits) % 8)
    body = bytes(sum(bits[at + place] << 7 - place for place in range(8)) for at in range(0, len(bits), 8))
    return (b"EA06" if new else b"EA05") + struct.pack(">I", total if size is None else size) + body


def autoit(new, content=None, packed=True, name="a.au3", mark=True, size=None):
    def text(value, mask, key):
        value = value.encode("utf-16-le" if new else "latin1")
        count = len(value) // (2 if new else 1)
        return struct.pack("<I", count ^ mask) + hidden(value, key + count, new)
    head = bytes.fromhex("a3484bbe986c4aa9994c530a86d6487d41553321454130") + (b"6" if new else b"5") + bytes(range(16))
    content = autoit_packed(TEXT, new) if content is None else content
    data = hidden(content, 0x2477 if new else 0x22af + sum(range(16)), new)
    made = head + (struct.pack("<I", 0x52ca436b if new else 0xceb06dff) if mark else b"")
    made += text(">>>AUTOIT SCRIPT<<<", *((0xadbc, 0xb33f) if new else (0x29bc, 0xa25e))) + text(name, *((0xf820, 0xf479) if new else (0x29ac, 0xf25e)))
    return (made + bytes([1 if packed else 0]) + struct.pack("<I", (len(data) if size is None else size) ^ (0x87bc if new else 0x45aa))
            + bytes(24) + data + bytes(8))


for new in (False, True):
    for name, made in {
        "script": {}, "plain": {"content": TEXT, "packed": False}, "no-mark": {"mark": False}, "size": {"size": 1 << 20}, "empty": {"content": b""},
        "long": {"copies": ((1, 3), (1, 7), (2, 20), (5, 60), (9, 400), (1, 2000))}, "distance-0": {"copies": ((0, 3),)}, "distance-far": {"copies": ((9999, 3),)},
        "short": {"whole": 1 << 20}, "other-pack": {"content": b"EA99" + bytes(40)},
    }.items():
        copies, whole = made.pop("copies", None), made.pop("whole", None)
        if copies or whole:
            made["content"] = autoit_packed(TEXT, new, copies or (), whole)
        data = autoit(new, **made)
        seed("AUTOIT", f"{name}-{5 + new}")(lambda data=data: data)
        seed("AUTOIT", f"{name}-{5 + new}-cut")(lambda data=data: data[:len(data) * 2 // 3])
        for limit, values in {"total": {"total": 2}, "total-3": {"total": 3}, "memory": {"memory": 2}, "checks": {"checks": 3}}.items():
            seed("AUTOIT", f"{name}-{5 + new}-{limit}")(lambda data=data, values=values: conditions(data, **values))


# ---------------------------------------------------------------- programs

def upx_elf(blocks, bits=64, inner=None, size=None):
    """An ELF program of UPX: headers, "UPX!" and blocks of (method, filter, mark, size, data)."""
    head = bytearray(64 if bits == 64 else 52)
    head[:6] = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1])
    width = 56 if bits == 64 else 32
    struct.pack_into("<Q" if bits == 64 else "<I", head, 32 if bits == 64 else 28, len(head))
    struct.pack_into("<HH", head, 54 if bits == 64 else 42, width, 1)
    out = bytes(head) + bytes(width) + bytes(4) + b"UPX!" + bytes(8) + struct.pack("<I", 1000 if size is None else size) + bytes(4)
    for method, kind, mark, length, data in blocks:
        out += struct.pack("<IIBBBB", length, len(data), method, kind, mark, 0) + data
    return out.ljust(160, b"\0")


def elf_head(bits, segments):
    table, width = (64, 56) if bits == 64 else (52, 32)
    head = (b"\x7fELF" + bytes([2 if bits == 64 else 1, 1])).ljust(table, b"\0")
    for offset, length, kind in segments:
        entry = bytearray(width)
        struct.pack_into("<I", entry, 0, kind)
        struct.pack_into("<Q" if bits == 64 else "<I", entry, 8 if bits == 64 else 4, offset)
        struct.pack_into("<Q" if bits == 64 else "<I", entry, 32 if bits == 64 else 16, length)
        head += bytes(entry)
    return head


CODE = bytes([0xe8, 0x01, 0, 0, 5, 0x90, 0xe9, 0, 0, 0, 7, 0x0f, 0x85, 0, 0, 0, 9, 0x90]) * 30
for bits in (64, 32):
    for segments in ([(0, 400, 1), (600, 500, 1)], [(0, 400, 1), (1 << 40 if bits == 64 else 1 << 31, 500, 1)], [(0, 4, 2), (300, 500, 1)]):
        head = elf_head(bits, segments)
        stored = (0, 0, 0, len(head), head)
        for number, blocks in enumerate((
                [stored, (0, 0x49, 0, len(CODE), CODE), (0, 0, 0, 9, b"more text")], [stored, (15, 0x26, 1, len(CODE), raw_deflate(CODE))],
                [stored, (2, 0, 0, 4000, b"\xff" * 60)], [(14, 0, 0, 4000, b"\x1a\x03" + bytes(60))])):
            made = upx_elf(blocks, bits)
            seed("UPX", f"elf-{bits}-{segments[1][0]}-{number}")(lambda made=made: made)
            for total in (2, 5, 9):
                seed("UPX", f"elf-{bits}-{segments[1][0]}-{number}-total-{total}")(lambda made=made, total=total: conditions(made, total=total))
    for method in range(2, 17):
        for kind in (0x11, 0x12, 0x13, 0x24, 0x25, 0x26, 0x46, 0x49, 0x77):
            made = upx_elf([(method, kind, 1, 3000, b"\xfe\xe8\x01\x02" * 50), (0, kind, 1, len(CODE), CODE)], bits)
            if method in (2, 15) or kind == 0x11:
                seed("UPX", f"method-{bits}-{method}-{kind:x}")(lambda made=made: made)
        made = upx_elf([(0, (0x11, 0x12, 0x13, 0x21, 0x22, 0x23, 0x24, 0x25, 0x36, 0x46, 0x49, 0x50, 0x14, 0x15, 0x16)[method - 2], method % 3, len(CODE), CODE)], bits)
        seed("UPX", f"filter-{bits}-{method}")(lambda made=made: made)
    seed("UPX", f"no-blocks-{bits}")(lambda bits=bits: upx_elf([], bits))
    seed("UPX", f"no-mark-{bits}")(lambda bits=bits: upx_elf([], bits).replace(b"UPX!", b"UPX?"))


def compact(value, size=None):
    size = size or max(1, (value.bit_length() + 6) // 7)
    return (value << size | 1 << size - 1).to_bytes(size, "little")


def onenote_web(blob, behind=b"\x05"):
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(32) + bytes.fromhex("2fe98d63d4a6c14b9a36b3fc2511a5b7")
    return head + bytes(8) + b"\x0c\x56" + bytes(40) + blob + behind


def blob(content, wide=False, huge=False, length=None):
    body = compact(len(content) if length is None else length) + content
    if huge:
        return b"\x15" + struct.pack("<I", 0x12 | 0x7fff << 17) + compact(len(body)) + body
    return b"\x15" + (struct.pack("<I", 0x12 | len(body) << 17) if wide else struct.pack("<H", 0x10 | len(body) << 9)) + body


for name, made in {
    "short": lambda: onenote_web(blob(TEXT)), "wide": lambda: onenote_web(blob(TEXT * 9, True)), "huge": lambda: onenote_web(blob(TEXT * 9, huge=True)),
    "length": lambda: onenote_web(blob(TEXT, length=7)), "zero": lambda: onenote_web(b"\x15" + struct.pack("<H", 0x10 | 1 << 9) + b"\0"),
    "nine": lambda: onenote_web(b"\x15" + struct.pack("<H", 0x10 | 20 << 9) + b"\x80" + struct.pack("<Q", 11) + b"eleven text"),
    "nine-cut": lambda: onenote_web(b"\x15" + struct.pack("<H", 0x10 | 20 << 9) + b"\x80", b""), "cut": lambda: onenote_web(b"\x15" + struct.pack("<H", 0x10 | 20 << 9), b""),
    "number-cut": lambda: onenote_web(b"\x15" + struct.pack("<H", 0x10 | 20 << 9) + b"\x40", b""), "huge-cut": lambda: onenote_web(b"\x15" + struct.pack("<I", 0x12 | 0x7fff << 17), b""),
    "other": lambda: onenote_web(b"\x15\0\0\0\0\0"), "two": lambda: onenote_web(blob(TEXT) + blob(TEXT * 9, True)), "far": lambda: onenote_web(bytes(70000) + blob(TEXT)),
}.items():
    seed("ONENOTE", "web-" + name)(made)
