"""Inputs for the fuzzers of file systems that other seeds lack: see seeds.py."""

import functools
import struct

from hfsplus import File, disk_image, hfsplus, partition_map, wrapped
from seeds import TEXT, conditions, pieces, seed

LONG = TEXT * 60


def patched(image, *changes):
    """With numbers changed: the place, their form, and the number."""
    image = bytearray(image)
    for place, form, number in changes:
        struct.pack_into(">" + form, image, place, number)
    return bytes(image)


def attribute(image, before, after):
    return image.replace(before, after, 1)


KINDS = [File("a.txt", TEXT, b"resources"), File("empty"), File("link", link=17), File("\u00e4.bin", LONG, pieces=11)]
PACKED = [File(f"packed-{kind}", LONG if kind & 0xff != 1 else TEXT, compression=kind) for kind in (1, 4, 260, 8, 264, 12, 268, 14)]
INLINE = [File(f"packed-{kind}", TEXT, compression=kind) for kind in (1, 3, 259, 7, 11, 5)]
MANY = [File(f"file {number}", TEXT * 22, TEXT * 22, pieces=10) for number in range(9)]
for name, made in {
    "files": lambda: hfsplus(KINDS),
    "hfsx": lambda: hfsplus(KINDS, signature=b"HX"),
    "packed": lambda: hfsplus(PACKED, node=1024),
    "inline": lambda: hfsplus(INLINE, node=1024),
    "inline-512": lambda: hfsplus(INLINE[1:2]),
    "many": lambda: pieces(hfsplus(MANY)),
    "tree-in-pieces": lambda: hfsplus(KINDS + INLINE, node=1024, tree_pieces=9),
    "tree-in-pieces-total": lambda: conditions(hfsplus(KINDS, node=1024, tree_pieces=2), total=9),
    "root-nowhere": lambda: hfsplus(KINDS, broken_tree=True),
    "wrapped": lambda: wrapped(hfsplus(KINDS[:1])),
    "cut": lambda: hfsplus(KINDS)[:-7000],
    "cut-behind-header": lambda: hfsplus(KINDS)[:1536],
    "no-catalog": lambda: patched(hfsplus(KINDS[:1]), (1024 + 288, "I", 0xfffffff0)),
    "no-overflow": lambda: patched(hfsplus(KINDS), (1024 + 208, "I", 0xfffffff0)),
    "no-attributes": lambda: patched(hfsplus(INLINE[1:2]), (1024 + 368, "I", 0xfffffff0)),
    "block-size-3": lambda: patched(hfsplus(KINDS[:1]), (1024 + 40, "I", 3)),
    "attribute-other": lambda: attribute(hfsplus(INLINE[1:2]), b"fpmc", b"fpmd"),
    "attribute-in-a-fork": lambda: attribute(hfsplus(INLINE[1:2]), b"\0\0\0\x10" + bytes(8), b"\0\0\0\x20" + bytes(8)),
    "attribute-of-another-name": lambda: attribute(hfsplus(INLINE[1:2]), "decmpfs".encode("utf-16-be"), "decmpfx".encode("utf-16-be")),
    "attribute-damaged": lambda: attribute(hfsplus(INLINE[1:2]), b"\x78\x9c", b"\x78\x9d"),
    "packed-size": lambda: attribute(hfsplus(INLINE[1:2]), b"fpmc\3\0\0\0", b"fpmc\3\0\0\0\xff"),
    "packed-cut": lambda: hfsplus([File("a", LONG * 9, compression=260)])[:-9000],
    "packed-total": lambda: conditions(hfsplus([File("a", LONG, compression=4)]), total=9),
    "long": lambda: conditions(hfsplus([File("a", LONG, pieces=3)]), total=9),
    "checks": lambda: conditions(hfsplus([File("a", LONG, pieces=9)]), checks=9),
}.items():
    seed("HFS-PLUS", name)(made)

SMALL = [File("a.txt", TEXT)]
for name, made in {
    "apple": lambda: partition_map(hfsplus(SMALL)),
    "apple-2048": lambda: partition_map(hfsplus(SMALL, 2048), 2048),
    "apple-count": lambda: patched(partition_map(hfsplus(SMALL)), (512 + 4, "I", 200)),
    "apple-outside": lambda: patched(partition_map(hfsplus(SMALL)), (1024 + 8, "I", 0xfffffff0)),
    "apple-and-mbr": lambda: patched(partition_map(hfsplus(SMALL)), (446, "Q", 0x80000000_0b000000), (454, "I", 0x04000000),
                                     (458, "I", 0x10000000), (510, "H", 0x55aa)),
}.items():
    seed("PARTITIONS", name)(made)
seed("DMG", "hfsplus")(lambda: disk_image(hfsplus(SMALL)))
MIXED = bytes(range(256)) * 9 + LONG + bytes(3000) + LONG[::-1]
for kinds in (("bvx2",), ("bvx1",), ("bvxn",), ("bvx-",), ("bvx2", "bvxn", "bvx1", "bvx-", "bvx2")):
    seed("DMG", "lzfse-" + "-".join(kind[3:] for kind in kinds))(functools.partial(disk_image, MIXED, kinds))
for name, made in {
    "lzfse-cut": lambda: disk_image(MIXED, ("bvx2",)).replace(b"bvx$", b""), "lzfse-other": lambda: disk_image(MIXED, ("bvxn",)).replace(b"bvx$", b"bvx9"),
    "lzfse-states": lambda: attribute(disk_image(MIXED, ("bvx1",)), b"bvx1" + disk_image(MIXED, ("bvx1",))[4:32], b"bvx1" + b"\xff" * 28),
    "lzfse-table": lambda: patched(disk_image(MIXED, ("bvx1",)), (50, "H", 0xffff)), "lzfse-no-table": lambda: patched(disk_image(MIXED, ("bvx2",)), (24, "I", 0x20000000)),
    "lzfse-total": lambda: conditions(disk_image(MIXED, ("bvx2",)), total=9), "lzvn-total": lambda: conditions(disk_image(MIXED, ("bvxn",)), total=9),
    "lzfse-stored-total": lambda: conditions(disk_image(MIXED, ("bvx-",)), total=9),
}.items():
    seed("DMG", name)(made)
