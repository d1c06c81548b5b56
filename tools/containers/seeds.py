"""Inputs for the fuzzers of single formats, by the formats' names in em003: `SEEDS[format] -> {name: maker}`.

What real tools make of a small payload is in the formats that `archives` and its kin know. Here is what these tools do not
make: odd but right files, wrong ones, and each with the limits, names and passwords that an input may end with (see
TrialConditions.swift).
"""

import functools
import os
import struct
import subprocess
import zlib

import archives
import documents
from tool import Folder, Unavailable

TEXT = b"A harmless text. 0123456789 abc.\r\n" * 3
SEEDS = {}


def seed(format, name):
    def register(maker):
        SEEDS.setdefault(format, {})[name] = maker
        return maker
    return register


def conditions(data, objects=0, total=0, checks=0, memory=0, name=b"", declared=b"", passwords=b"", flags=0):
    """An input whose scan has limits, names and passwords: each limit is one more than it stands for."""
    numbers = bytes([objects, total, checks, memory, len(name), len(declared), len(passwords), flags])
    return data + name + declared + passwords + numbers + b"fuzzwith"


LIMITS = {"no-objects": {"objects": 1}, "one-object": {"objects": 2}, "deep": {"flags": 1}}
LIMITS.update({f"total-{(total - 1) * 64}": {"total": total} for total in (1, 2, 3)})
LIMITS.update({f"checks-{checks - 1}": {"checks": checks} for checks in (1, 2, 3, 4, 6, 9, 14)})
LIMITS.update({f"memory-{(memory - 1) * 4}k": {"memory": memory} for memory in (1, 2, 17, 18, 34, 66)})


def narrow(data):
    """The same input in scans with less of everything."""
    for name, values in LIMITS.items():
        yield name, conditions(data, **values)


def pieces(image, **values):
    """A disk of which most is zeros: only the sectors that are not."""
    out, start = b"", None
    image += bytes(-len(image) % 512)
    for sector in range(len(image) // 512 + 1):
        piece = image[sector * 512:sector * 512 + 512]
        used = any(piece) and sector < 1 << 13
        if used and start is None:
            start = sector
        if start is not None and (not used or sector - start == 100):
            out += struct.pack("<HH", start, (sector - start) * 512) + image[start * 512:sector * 512]
            start = sector if used else None
    return conditions(out, flags=values.pop("flags", 0) | 2, **values)


# ---------------------------------------------------------------- disks and file systems

def fat_entry(name, attributes, cluster, size, case=0):
    return name.ljust(11) + bytes([attributes, case]) + bytes(7) + struct.pack("<HIHI", cluster >> 16, 0, cluster & 0xffff, size)


def fat_long(name, number=0x41):
    text = name.encode("utf-16-le") + b"\0\0"
    text = text[:26].ljust(26, b"\xff")
    return bytes([number]) + text[:10] + b"\x0f\0\0" + text[10:22] + b"\0\0" + text[22:26]


def fat(bits, damage=None):
    """A file system whose header says that it is large; the image ends early."""
    clusters = {12: 100, 16: 5000, 32: 70000}[bits]
    root_entries = 0 if bits == 32 else 32
    # The table is shorter than it should be: only its beginning is used.
    head = bytearray(512)
    head[0:3] = b"\xeb\x3c\x90"
    reserved, table = 1, 2
    root_sectors = root_entries * 32 // 512
    sectors = reserved + table + root_sectors + clusters
    struct.pack_into("<HBHBHHBH", head, 11, 512, 1, reserved, 1, root_entries, sectors if sectors < 65536 else 0, 0xf8,
                     table if bits != 32 else 0)
    struct.pack_into("<I", head, 32, sectors if sectors >= 65536 else 0)
    if bits == 32:
        struct.pack_into("<II", head, 36, table, 0)
        struct.pack_into("<I", head, 44, 2)
    head[510:512] = b"\x55\xaa"
    links = {2: 3, 3: 0xfffffff, 4: 5, 5: 0xfffffff, 6: 8, 8: 7, 7: 0xfffffff, 9: 9, 10: 0xfffffff, 11: 1, 12: 12}
    tables = bytearray(table * 512)
    for cluster, following in links.items():
        if bits == 12:
            place = cluster + cluster // 2
            value = struct.unpack_from("<H", tables, place)[0]
            value |= (following & 0xfff) << (4 if cluster & 1 else 0) & 0xffff
            struct.pack_into("<H", tables, place, value & 0xffff)
        elif bits == 16:
            struct.pack_into("<H", tables, 2 * cluster, following & 0xffff)
        else:
            struct.pack_into("<I", tables, 4 * cluster, following)
    entries = [
        fat_entry(b"LABEL", 0x08, 0, 0), fat_long("file", 0x41), fat_entry(b"CONTIG  TXT", 0x20, 4, 600),
        fat_long("tters of a long name.txt"[:13], 0x42), fat_long("a name with le", 0x01), fat_entry(b"FRAGM   TXT", 0x20, 6, 1200),
        fat_entry(b"\xe5DELETEDTXT", 0x20, 4, 10), fat_entry(b".", 0x10, 2, 0), fat_entry(b"\x05KANJI  TXT", 0x20, 4, 20, 0x18),
        fat_entry(b"EMPTY   TXT", 0x20, 0, 0), fat_entry(b"NOWHERE TXT", 0x20, 0xfff0, 100), fat_entry(b"CUT     TXT", 0x20, 11, 5000),
        fat_entry(b"LOOP    TXT", 0x20, 12, 5000), fat_entry(b"DIR", 0x10, 10, 0), fat_entry(b"NODIR", 0x10, 0xffff, 0),
        fat_entry(b"LONG", 0x20, 5, 600)]
    if damage == "ring":
        entries = [fat_entry(b"RING", 0x10, 9, 0)]
    root = b"".join(entries)
    inner = fat_entry(b"INNER", 0x20, 4, 30) + fat_entry(b"SELF", 0x10, 10, 0)
    ring = b"".join(fat_entry(b"\xe5", 0, 0, 0) for _ in range(16))
    if damage == "deep":
        root, inner = fat_entry(b"SELF", 0x10, 10, 0), fat_entry(b"SELF", 0x10, 10, 0)
    data = {2: root[:512], 3: root[512:], 4: TEXT * 5, 5: b"five", 6: b"six" * 100, 7: b"seven" * 90, 8: b"eight" * 90, 9: ring, 10: inner,
            11: b"eleven", 12: b"twelve"}
    area = b"".join(data[cluster][:512].ljust(512, b"\0") for cluster in range(2, 13))
    image = bytes(head) + bytes(tables) + (root.ljust(root_sectors * 512, b"\0") if bits != 32 else b"") + area
    return image[:-600] if damage == "cut" else image


for bits in (12, 16, 32):
    for damage in (None, "ring", "deep", "cut"):
        seed("FAT", f"fat{bits}" + (f"-{damage}" if damage else ""))(functools.partial(fat, bits, damage))


@seed("FAT", "table-outside")
def fat_outside():
    image = bytearray(fat(12))
    struct.pack_into("<H", image, 14, 5000)
    return bytes(image)


@seed("FAT", "no-space")
def fat_no_space():
    image = bytearray(fat(12))
    struct.pack_into("<H", image, 19, 1)
    return bytes(image)


@seed("FAT", "cluster-size-3")
def fat_cluster_size():
    image = bytearray(fat(12))
    image[13] = 3
    return bytes(image)


def vmdk(grains, flags=0, capacity=64, directory=1, footer=False, entries=(2,), per_table=8, wrong=False):
    """A sparse extent: header, directory, one table, grains of 8 sectors."""
    head = bytearray(512)
    head[:4] = b"KDMV"
    struct.pack_into("<IIQQQQI", head, 4, 1, flags, capacity, 8, 0, 0, per_table)
    struct.pack_into("<QQ", head, 48, 0, directory)
    end = bytes(head)
    if footer:
        struct.pack_into("<Q", head, 56, 0xffffffffffffffff)
    directory_sector = struct.pack(f"<{len(entries)}I", *entries).ljust(512, b"\0")
    table, data = [], b""
    for grain in grains:
        if isinstance(grain, int):
            table.append(grain)
            continue
        table.append(3 + len(data) // 512)
        body = struct.pack("<QI", 0, len(grain)) + grain if flags & 1 << 16 else grain
        data += body.ljust((len(body) + 511) // 512 * 512, b"\0")
    image = bytes(head) + directory_sector + struct.pack(f"<{len(table)}I", *table).ljust(512, b"\0") + data
    if footer:
        image += (b"wrong" if wrong else end).ljust(512, b"\0") + bytes(512)
    return image


GRAIN = (TEXT * 50)[:4096]
for name, made in {
    "plain": lambda: vmdk([GRAIN, 0, GRAIN, 1, 0x7fffffff]),
    "deflated": lambda: vmdk([zlib.compress(GRAIN), 0, zlib.compress(GRAIN)], 1 << 16),
    "deflated-damaged": lambda: vmdk([b"damaged", zlib.compress(GRAIN)[:20]], 1 << 16),
    "footer": lambda: vmdk([zlib.compress(GRAIN)], 1 << 16, footer=True),
    "footer-wrong": lambda: vmdk([zlib.compress(GRAIN)], 1 << 16, footer=True, wrong=True),
    "directory-outside": lambda: vmdk([GRAIN], directory=1 << 20),
    "tables-outside": lambda: vmdk([GRAIN], capacity=512, entries=(0, 0x7fffffff, 2)),
    "no-grains": lambda: vmdk([0, 0]),
    "tables-many": lambda: vmdk([GRAIN], capacity=1 << 50, entries=(2, 2, 2)),
}.items():
    seed("VMDK", name)(made)
for name, conditions_of in {
    "deflated-total": {"total": 2}, "deflated-memory": {"memory": 18}, "deflated-far": {"total": 60}}.items():
    seed("VMDK", name)(functools.partial(
        lambda values: conditions(vmdk([zlib.compress(GRAIN), zlib.compress(GRAIN)], 1 << 16), **values), conditions_of))
for name, values in {"plain-total": {"total": 2}, "plain-memory": {"memory": 2}}.items():
    seed("VMDK", name)(functools.partial(lambda values: conditions(vmdk([GRAIN, 0, 0, GRAIN]), **values), values))


def qcow(entries, version=3, bits=9, features=0, compression=0, encryption=0, stated=1, first=None, area=b""):
    """Header, one table of tables, one table, clusters of 512 bytes from the fourth on."""
    head = bytearray(512)
    struct.pack_into(">IIQIIQIIQ", head, 0, 0x514649fb, version, 0, 0, bits, 1 << 20, encryption, stated, 512)
    struct.pack_into(">Q", head, 72, features)
    head[104] = compression
    tables = struct.pack(">QQ", first if first is not None else 1024, 1 << 40).ljust(512, b"\0")
    return bytes(head) + tables + struct.pack(f">{len(entries)}Q", *entries).ljust(512, b"\0") + area


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CLUSTER = (TEXT * 6)[:512]
PACKED = raw_deflate(CLUSTER).ljust(512, b"\0")
AT = 1536


def packed_entry(place, sectors=0, bits=9):
    return 1 << 62 | sectors << (62 - (bits - 8)) | place


for name, made in {
    "plain": lambda: qcow([1 << 63 | AT, 0, 1, AT | 1, 1 << 40, AT + 1024], area=CLUSTER * 2),
    "version-2": lambda: qcow([1 << 63 | AT, AT | 1], version=2, area=CLUSTER),
    "deflated": lambda: qcow([packed_entry(AT), 0, packed_entry(AT), packed_entry(1 << 40)], area=PACKED),
    "deflated-damaged": lambda: qcow([packed_entry(AT)], area=b"\xff" * 600),
    "zstd": lambda: qcow([packed_entry(AT)], features=8, compression=1, area=archives.FORMATS["zstd"][1]("a", CLUSTER).ljust(512, b"\0")),
    "zstd-damaged": lambda: qcow([packed_entry(AT)], features=8, compression=1, area=b"\x28\xb5\x2f\xfd\xff\xff" * 90),
    "encrypted": lambda: qcow([AT], encryption=1, area=CLUSTER),
    "external": lambda: qcow([AT], features=4, area=CLUSTER),
    "table-outside": lambda: qcow([AT], first=1 << 40, stated=2, area=CLUSTER),
    "bits-22": lambda: qcow([AT], bits=22, area=CLUSTER),
    "far": lambda: qcow([0] * 63 + [AT], bits=21, area=CLUSTER),
    "total": lambda: conditions(qcow([AT, AT], area=CLUSTER), total=3),
    "total-deflated": lambda: conditions(qcow([packed_entry(AT)] * 3, area=PACKED), total=3),
    "far-total": lambda: conditions(qcow([0, 0, 0, AT], area=CLUSTER), total=3),
}.items():
    seed("QCOW2", name)(made)


def vhd(entries, kind=3, block=4096, table=None, start=512, area=b"", behind=True):
    footer = b"conectix" + struct.pack(">IIQ", 2, 0x10000, start if kind != 2 else 0xffffffffffffffff)
    footer = footer.ljust(60, b"\0") + struct.pack(">I", kind)
    footer = footer.ljust(512, b"\0")
    if kind == 2:
        return area + footer if behind else footer + area
    head = (b"cxsparse" + struct.pack(">QQIII", 0xffffffffffffffff, 1536 if table is None else table, 0x10000, len(entries), block)).ljust(1024, b"\0")
    return footer + head + struct.pack(f">{len(entries)}I", *entries).ljust(512, b"\xff") + area + footer


BLOCK = bytes([0xff]) * 512 + GRAIN
for name, made in {
    "dynamic": lambda: vhd([4, 0xffffffff, 4, 0x7fffffff], area=BLOCK),
    "fixed": lambda: vhd([], kind=2, area=GRAIN),
    "fixed-head": lambda: vhd([], kind=2, area=GRAIN, behind=False),
    "odd-block": lambda: vhd([4], block=1000, area=BLOCK),
    "table-outside": lambda: vhd([4], table=1 << 40, area=BLOCK),
    "header-outside": lambda: vhd([4], start=1 << 40, area=BLOCK),
    "total": lambda: conditions(vhd([0xffffffff, 4, 4], area=BLOCK), total=3),
    "memory": lambda: conditions(vhd([0xffffffff, 4, 4], area=BLOCK), memory=2),
    "short-footer": lambda: vhd([], kind=2, area=GRAIN)[:-1],
}.items():
    seed("VHD", name)(made)


def vhdx_image(entries, block=1 << 20, size=3 << 20, sector=512, table_at=0x50000, metadata_at=0x51000, copies=(0x30000,), items=3,
               wrong=None):
    image = bytearray(0x52000)
    image[:8] = b"vhdxfile"
    table = struct.pack("<QQQII", 0x4200f6232dc27766, 0x084a9b1d55fb0dc0, table_at, 0x1000, 1)
    values = struct.pack("<QQQII", 0x4b9a47908b7ca206, 0x6e0d26fe88ff5cb3 & (1 << 64) - 1, metadata_at, 0x1000, 1)
    for place in copies:
        image[place:place + 16] = b"regi" + struct.pack("<III", 0, 2, 0)
        image[place + 16:place + 80] = table + values
    described = [(0x4d43fa36caa16737, struct.pack("<II", block, 0)), (0x4876cd1b2fa54224, struct.pack("<Q", size)),
                 (0x4709a96f8141bf1d, struct.pack("<I", sector))][:items]
    area, rows = b"", b""
    for kind, value in described:
        rows += struct.pack("<QQIIII", kind, 0, 0x200 + len(area), len(value), 6, 0)
        area += value.ljust(16, b"\0")
    head = (b"metadata" + struct.pack("<HH", 0, len(described))).ljust(32, b"\0") + rows
    if wrong != "metadata":
        image[0x51000:0x51000 + len(head)] = head
        image[0x51200:0x51200 + len(area)] = area
    image[0x50000:0x50000 + 8 * len(entries)] = struct.pack(f"<{len(entries)}Q", *entries)
    return bytes(image).ljust(1 << 20, b"\0") + GRAIN


# Blocks lie at whole megabytes: that at 0 has the disk's own tables in it.
for name, made in {
    "blocks": lambda: vhdx_image([1 << 20 | 6, 0, 6]),
    "outside": lambda: vhdx_image([6, 5 << 20 | 6, 2]),
    "short-table": lambda: vhdx_image([6], size=1 << 45),
    "second-copy": lambda: vhdx_image([6], copies=(0x40000,)),
    "no-copy": lambda: vhdx_image([6], copies=()),
    "odd-block": lambda: vhdx_image([6], block=3 << 20),
    "sector-4096": lambda: vhdx_image([6], sector=4096),
    "sector-1000": lambda: vhdx_image([6], sector=1000),
    "no-metadata": lambda: vhdx_image([6], wrong="metadata"),
    "two-items": lambda: vhdx_image([6], items=2),
    "no-items": lambda: vhdx_image([6], items=0),
    "region-outside": lambda: vhdx_image([6], table_at=1 << 40),
    "total": lambda: pieces(vhdx_image([6]), total=200),
    "total-between": lambda: pieces(vhdx_image([0, 6]), total=200),
    "checks": lambda: pieces(vhdx_image([0, 6]), checks=2),
    "cut": lambda: vhdx_image([6])[:0x51210],
}.items():
    seed("VHDX", name)(made)


def partitions(kinds=((0x0c, 2, 2), (0x05, 5, 4)), extended=True):
    """A master boot record, and a chain of logical partitions."""
    image = bytearray(512 * 12)
    image[510:512] = b"\x55\xaa"
    for index, (kind, start, count) in enumerate(kinds):
        struct.pack_into("<BBBBBBBBII", image, 446 + 16 * index, 0x80 if index == 0 else 0, 0, 0, 0, kind, 0, 0, 0, start, count)
    if extended:
        for record, (start, count, following) in {5: (1, 1, 2), 7: (1, 400, 0)}.items():
            struct.pack_into("<BBBBBBBBII", image, 512 * record + 446, 0, 0, 0, 0, 6, 0, 0, 0, start, count)
            if following:
                struct.pack_into("<BBBBBBBBII", image, 512 * record + 462, 0, 0, 0, 0, 5, 0, 0, 0, following, 1)
    return bytes(image)


def gpt(entries, sector=512, start=2, size=128, stated=None):
    image = bytearray(max(sector * 4 + 4096, 8192))
    image[510:512] = b"\x55\xaa"
    struct.pack_into("<BBBBBBBBII", image, 446, 0, 0, 0, 0, 0xee, 0, 0, 0, 1, 15)
    image[sector:sector + 8] = b"EFI PART"
    struct.pack_into("<QII", image, sector + 72, start, len(entries) if stated is None else stated, size)
    for index, (first, last) in enumerate(entries):
        struct.pack_into("<QQQQQQ", image, start * sector + 128 * index, 1, 1, 1, 1, first, last)
    return bytes(image)


for name, made in {
    "logical": partitions,
    "logical-outside": lambda: partitions(((0x0f, 4000, 4), (6, 3, 2))),
    "logical-cycle": lambda: partitions()[:512 * 7 + 462] + struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 5, 0, 0, 0, 2, 1) + partitions()[512 * 7 + 478:],
    "active-wrong": lambda: partitions()[:446] + b"\x01" + partitions()[447:],
    "nothing": lambda: partitions((), False),
    "gpt": lambda: gpt([(6, 8), (9, 5), (100, 200), (7, 1 << 50)]),
    "gpt-4096": lambda: gpt([(1, 2)], 4096),
    "gpt-odd": lambda: gpt([(6, 8)], size=64),
    "gpt-short": lambda: gpt([(6, 8)], stated=200),
    "gpt-unused": lambda: gpt([(6, 8)], stated=20),
    "short": lambda: partitions()[:1000],
}.items():
    seed("PARTITIONS", name)(made)


def dmg(runs, area=b"", base=0, lists=1, wrong=None, fork=0):
    """Runs of (kind, first sector, sectors, offset, size) in a property list, and the trailer."""
    import base64
    blocks = b"mish" + struct.pack(">IQQQ", 1, 0, 8, fork)
    blocks = blocks.ljust(200, b"\0") + struct.pack(">I", len(runs))
    for kind, first, count, offset, size in runs:
        blocks += struct.pack(">IIQQQQ", kind, 0, first, count, offset, size)
    if wrong == "mark":
        blocks = b"mush" + blocks[4:]
    listed = b"<plist>" + (b"<data>" + base64.encodebytes(blocks) + b"</data>") * lists + b"</plist>"
    if wrong == "open":
        listed = listed.replace(b"</data>", b"")
    trailer = bytearray(512)
    trailer[:8] = b"koly\0\0\0\x04"
    struct.pack_into(">Q", trailer, 24, base)
    struct.pack_into(">QQ", trailer, 216, len(area) if wrong != "place" else 1 << 40, len(listed))
    return area + listed + bytes(trailer)


ADC = b"\x83abcd" + b"\x04\x03" + b"\x41\x00\x02" + b"\x80e" + b"\x00\x00"
for name, made in {
    "stored": lambda: dmg([(1, 0, 1, 0, 512), (0, 1, 1, 0, 0), (2, 2, 1, 0, 0), (0x7ffffffe, 3, 0, 0, 0), (1, 4, 1, 0, 512), (0xffffffff, 5, 0, 0, 0)], GRAIN),
    "adc": lambda: dmg([(0x80000004, 0, 1, 0, len(ADC))], ADC),
    "adc-wrong": lambda: dmg([(0x80000004, 0, 1, 0, 4)], b"\x80a\x7f\xff"),
    "adc-short": lambda: dmg([(0x80000004, 0, 1, 0, 3)], b"\x80a\x40"),
    "adc-total": lambda: conditions(dmg([(0x80000004, 0, 1, 0, 130)], b"\xff" + b"a" * 129), total=2),
    "adc-copy-total": lambda: conditions(dmg([(0x80000004, 0, 1, 0, 8)], b"\x80a\x7f\0\0\x7f\0\0"), total=2),
    "zlib": lambda: dmg([(0x80000005, 0, 1, 0, 400)], zlib.compress(CLUSTER)),
    "zlib-damaged": lambda: dmg([(0x80000005, 0, 1, 0, 10)], b"damaged and more than that"),
    "bzip2": lambda: dmg([(0x80000006, 0, 1, 0, 400)], archives.FORMATS["bzip2"][1]("a", CLUSTER).ljust(400, b"\0")),
    "lzma": lambda: dmg([(0x80000008, 0, 1, 0, 400)], archives.FORMATS["xz"][1]("a", CLUSTER).ljust(400, b"\0")),
    "lzfse": lambda: dmg([(0x80000007, 0, 1, 0, 400)], GRAIN),
    "outside": lambda: dmg([(1, 0, 1, 1 << 40, 512), (1, 1, 1, (1 << 64) - 1, 1)], GRAIN, base=1),
    "fork-outside": lambda: dmg([(1, 0, 1, 1, 512)], GRAIN, fork=(1 << 64) - 1),
    "sector-far": lambda: dmg([(1, 1 << 50, 1, 0, 512)], GRAIN),
    "two": lambda: dmg([(1, 0, 1, 0, 512)], GRAIN, lists=2),
    "mark": lambda: dmg([(1, 0, 1, 0, 512)], GRAIN, wrong="mark"),
    "open": lambda: dmg([(1, 0, 1, 0, 512)], GRAIN, wrong="open"),
    "place": lambda: dmg([(1, 0, 1, 0, 512)], GRAIN, wrong="place"),
    "list-total": lambda: conditions(dmg([(1, 0, 1, 0, 512)], GRAIN), total=2),
}.items():
    seed("DMG", name)(made)


def udf(files, kind=0, damage=None, metadata=False, extended=False, folder=b""):
    """Anchor, three descriptors, a partition with a file set, a root folder, and files; the sectors before are empty.

    `files`: (name, content, flags); `kind` of allocation: 0 short, 1 long, 3 inside of the entry."""
    def tag(number):
        return struct.pack("<HHBBHHHI", number, 2, 0, 0, 0, 0, 0, 0)

    sectors = {}
    for sector, mark in ((16, b"BEA01"), (17, b"NSR02"), (18, b"TEA01")):
        sectors[sector] = b"\0" + mark
    sectors[256] = tag(2) + struct.pack("<II", 4 * 2048, 257)
    partition = bytearray(512)
    partition[:16] = tag(5)
    struct.pack_into("<H", partition, 22, 0)
    struct.pack_into("<II", partition, 188, 261, 100)
    sectors[257] = bytes(partition)
    volume = bytearray(640)
    volume[:16] = tag(6)
    struct.pack_into("<I", volume, 212, 2048)
    struct.pack_into("<IHH", volume, 252, 0, 1 if metadata else 0, 0)
    maps = struct.pack("<BBHH", 1, 6, 1, 0)
    if metadata:
        more = bytearray(64)
        more[0:2] = b"\x02\x40"
        more[5:28] = b"*UDF Metadata Partition"
        struct.pack_into("<H", more, 38, 0)
        struct.pack_into("<I", more, 40, 40)
        maps += bytes(more)
    struct.pack_into("<II", volume, 264, len(maps), 2 if metadata else 1)
    volume[440:440 + len(maps)] = maps
    sectors[258] = bytes(volume)
    sectors[259] = tag(8)
    root = bytearray(512)
    root[:16] = tag(256)
    struct.pack_into("<I", root, 404, 1)
    struct.pack_into("<H", root, 408, 1 if metadata else 0)
    sectors[261] = bytes(root)

    def entry(content_at, size, is_folder, inside=b"", extents=None):
        number = 266 if extended else 261
        head = bytearray(216 if extended else 176)
        head[:16] = tag(number)
        head[27] = 4 if is_folder else 5
        struct.pack_into("<H", head, 34, kind)
        struct.pack_into("<Q", head, 56, size)
        if kind == 3:
            more = inside
        else:
            more = b"".join(struct.pack("<II", length, block) if kind == 0 else struct.pack("<IIH6x", length, block, 1 if metadata else 0)
                            for length, block in (extents or [(size, content_at)]))
        struct.pack_into("<II", head, len(head) - 8, 0, len(more))
        return bytes(head) + more

    listing = folder
    block = 4
    bodies = {}
    for name, content, flags in files:
        text = (b"\x08" + name.encode()) if name.isascii() else b"\x10" + name.encode("utf-16-be")
        row = tag(257) + struct.pack("<HBB", 1, flags, len(text)) + struct.pack("<IIH6x", 2048, block, 1 if metadata else 0) + struct.pack("<H", 0)
        row += text
        listing += row.ljust((len(row) + 3) // 4 * 4, b"\0")
        bodies[block] = entry(block + 1, len(content), flags & 2, content, None if damage != "pieces" else [
            (30, block + 1), (1 << 30 | 50, 0), (max(0, len(content) - 80), block + 1)])
        bodies[block + 1] = content
        block += 2
    bodies[1] = entry(2, len(listing), True, listing)
    bodies[2] = listing
    if metadata:
        kept, kind_before = kind, kind
        kind = 0
        sectors[261 + 40] = entry(0, 40 * 2048, False)
        kind = kept
    for number, body in bodies.items():
        sectors[261 + number] = body
    if damage == "volume":
        del sectors[258]
    if damage == "root":
        del sectors[261 + 1]
    last = max(sectors)
    image = b"".join(sectors.get(sector, b"")[:2048].ljust(2048, b"\0") for sector in range(last + 1))
    return image


UDF_FILES = [("a.txt", TEXT * 3, 0), ("\u4e00.txt", TEXT, 0), ("gone", TEXT, 4), ("up", b"", 8), ("empty", b"", 0)]


for name, made in {
    "short": lambda: udf(UDF_FILES), "long": lambda: udf(UDF_FILES, 1), "inside": lambda: udf(UDF_FILES, 3),
    "pieces": lambda: udf(UDF_FILES, damage="pieces"), "extended": lambda: udf(UDF_FILES, extended=True),
    "metadata": lambda: udf(UDF_FILES, 1, metadata=True), "no-volume": lambda: udf(UDF_FILES, damage="volume"),
    "no-root": lambda: udf(UDF_FILES, damage="root"), "kind-2": lambda: udf(UDF_FILES, 2),
    "cut": lambda: udf(UDF_FILES)[:-2500], "folder": lambda: udf([("dir", b"", 2), *UDF_FILES]),
    "no-anchor": lambda: udf(UDF_FILES)[:200 * 2048],
}.items():
    seed("UDF", name)(functools.partial(lambda made: pieces(made()), made))
for name, values in {"total": {"total": 2}, "objects": {"objects": 2}, "checks": {"checks": 3}, "memory": {"memory": 2}}.items():
    seed("UDF", name)(functools.partial(lambda values: pieces(udf(UDF_FILES, damage="pieces"), **values), values))
SEEDS["VHDX"] = {name: functools.partial(lambda made: made() if made().endswith(b"fuzzwith") else pieces(made()), made)
                 for name, made in SEEDS["VHDX"].items()}


def real(format, label, gzipped=False, name="a.txt"):
    def make():
        import gzip
        made = archives.FORMATS[label][1](name, TEXT)
        return pieces(gzip.decompress(made) if gzipped else made)
    seed(format, "real-" + label)(make)
    if format == "ISO":
        for name, values in LIMITS.items():
            seed(format, f"real-{label}-{name}")(lambda values=values: pieces(archives.FORMATS[label][1](name, TEXT), **values))
        for sectors in (60, 80, 100, 120, 140):
            seed(format, f"real-{label}-cut-{sectors}")(lambda sectors=sectors: pieces(archives.FORMATS[label][1]("a.txt", TEXT * 99)[:sectors * 512]))


for format, labels in {"FAT": ["fat-image"], "VHD": ["vhd"], "VMDK": ["vmdk", "vmdk-compressed"], "QCOW2": ["qcow2", "qcow2-compressed"],
                       "ISO": ["iso-joliet", "iso-rockridge", "iso-udf", "iso-hfs", "iso-bsdtar"]}.items():
    for label in labels:
        real(format, label)
real("UDF", "udf-gz", True)
real("VHDX", "vhdx-gz", True)


# ---------------------------------------------------------------- what real tools make, in scans with less of everything

# By the beginnings of the names that the makers have.
FORMATS = {
    "7z-": "7Z", "zip-": "ZIP", "jar": "ZIP", "sfx-zip": "ZIP", "docx-": "ZIP", "tar-": "TAR", "gzip": "GZIP", "bzip2": "BZIP2", "xz": "XZ",
    "lzma": "LZMA", "zlib": "ZLIB", "zstd": "ZSTD", "lz4": "LZ4", "lzip": "LZIP", "lzop": "LZOP", "compress": "COMPRESS", "lrzip": "LRZIP",
    "ar-": "AR", "deb": "AR", "cpio-": "CPIO", "xar": "XAR", "warc": "WARC", "shar": "SHAR", "arj": "ARJ", "cab-": "CAB", "lha-": "LHA",
    "iso-": "ISO", "squashfs-": "SQUASHFS", "wim": "WIM", "rpm": "RPM", "msi": "OLE2", "ole-": "OLE2", "msg": "OLE2", "nsis-": "NSIS",
    "dmg-": "DMG", "hfsplus": "HFS-PLUS", "hfsx": "HFS-PLUS", "apm-": "PARTITIONS", "alz": "ALZ", "flat-opc": "XML", "rtf": "RTF", "pdf-": "PDF", "html-data": "DATA-URI", "svg-data": "DATA-URI", "mht": "MIME",
    "onenote": "ONENOTE", "pe-overlay": "PE-OVERLAY", "lnk-": "LNK", "mail-uuencode": "UUE", "mail-yenc": "YENC", "mail-binhex": "BINHEX",
    "rar": "RAR", "pe-resource": "PE-RESOURCES", "ico": "ICO", "macho-": "MACHO-UNIVERSAL", "szdd": "SZDD", "chm": "CHM", "egg": "EGG", "ace-": "ACE",
    "activemime": "ACTIVEMIME", "word-xml": "XML", "hwp3": "HWP", "hwpml": "XML", "hwp": "OLE2", "xdp": "XML", "uue": "UUE", "apple-": "APPLE", "powershell-": "SCRIPT-BASE64", "html-smuggling": "SCRIPT-BASE64", "brotli": "BROTLI",
    "mail-calendar": "VCARD", "mail-vcard": "VCARD", "mail-": "MIME", "mbox": "MBOX", "tnef": "TNEF", "smime-": "SMIME",
}
# Names of compressed files, which end otherwise when they are expanded.
ENDINGS = [b"a.bz2", b"a.xz", b"a.lzma", b"a.lz", b"a.lz4", b"a.zst", b"a.Z", b"a.tbz2", b"a.tbz", b"a.txz", b"a.tlz", b"a.tzst", b"a.taz", b"a.gz",
           b"a.tgz", b"none"]
STREAMS = ("BZIP2", "XZ", "LZMA", "LZIP", "LZ4", "ZSTD", "COMPRESS", "GZIP", "ZLIB", "LZOP")


def format_of(label):
    return next((name for start, name in FORMATS.items() if label.startswith(start)), None)


def write_all(directory, samples=()):
    """Writes every seed to DIRECTORY/format/name; the makers that fail."""
    problems, small = [], {}

    def write(format, name, data):
        folder = os.path.join(directory, format.lower())
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)

    wanted = [(format, name, maker) for format, makers in SEEDS.items() for name, maker in makers.items()]
    wanted += [(format_of(label), "made-" + label, functools.partial(maker, "a.txt", TEXT))
               for label, (_, maker) in archives.FORMATS.items() if format_of(label)]
    for format, name, maker in wanted:
        try:
            data = maker()
        except (Unavailable, ValueError, subprocess.TimeoutExpired) as problem:
            problems.append(f"{format} {name}: {problem}")
            continue
        write(format, name, data)
        if len(data) < 16384 and not data.endswith(b"fuzzwith"):
            small.setdefault(format, []).append(data)
    for path in samples:
        # Files that are no seeds of ours: DIRECTORY/format/… by their makers.
        with open(path, "rb") as file:
            data = file.read()
        if not data.endswith(b"fuzzwith"):
            small.setdefault(os.path.basename(os.path.dirname(path)).upper(), []).append(data)
    for format, all_data in small.items():
        by_size = sorted((data for data in all_data if len(data) >= 40), key=len)
        for number, data in enumerate(by_size[:3] + by_size[3:][-4:]):
            for name, made in narrow(data):
                write(format, f"{name}-{number}", made)
            if format in STREAMS:
                for ending in ENDINGS:
                    write(format, f"name-{ending.decode()}-{number}", conditions(data, name=ending))
            for cut in (1, 3, 10, len(data) // 2, len(data) * 9 // 10):
                write(format, f"cut-{cut}-{number}", data[:-cut])
    return problems
