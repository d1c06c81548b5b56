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
