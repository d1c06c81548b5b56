"""File systems of Linux for the fuzzers, as mke2fs and debugfs write them, and damaged ones."""

import functools
import os
import struct

from seeds import TEXT, conditions, pieces, seed
from tool import Folder

IDENTITY = "00112233-4455-6677-8899-aabbccddeeff"
# Files: what a block map and a tree of extents are made of.
LONG = TEXT * 14


def scattered(*blocks, end=0, size=1024):
    """A file that has something in these blocks alone."""
    made = bytearray(max(end, (max(blocks) + 1)) * size)
    for block in blocks:
        made[block * size:block * size + 9] = b"block %03d" % (block % 1000)
    return bytes(made)


FILES = {"small": TEXT, "long": LONG, "empty": b"", "holes": scattered(0, 2, 5, 7, 9, 11, 13, 20, 300, end=302)}
WRITE = ["write small small", "write long long", "write empty empty", "write holes holes", "symlink fast target",
         "symlink slow " + "t" * 80, "mkdir folder", "cd folder", "write small inner", "mkdir more", "ln .. up"]


def ext(kind="ext4", features="^has_journal,^resize_inode", files=None, commands=(), block=1024, size="1M", inodes=32, more=()):
    """An image without what free blocks hold."""
    with Folder("none", b"") as folder:
        for name, data in (FILES if files is None else files).items():
            folder.write(name, data)
        # The same times, numbers and folders' hashes each time.
        folder.run("env", "E2FSPROGS_FAKE_TIME=1800000000", "/sbin/mke2fs", "-q", "-F", "-t", kind, "-b", str(block), "-N", str(inodes),
                   "-m", "0", "-U", IDENTITY, "-E", f"hash_seed={IDENTITY},lazy_itable_init=0", "-O", features, *more, "image", size)
        folder.write("commands", "\n".join(WRITE if not commands else commands).encode() + b"\n")
        folder.run("env", "E2FSPROGS_FAKE_TIME=1800000000", "/sbin/debugfs", "-w", "-f", "commands", "image")
        folder.run("/sbin/debugfs", "-w", "-R", "rmdir lost+found", "image")
        folder.run("/sbin/e2image", "-r", "-a", "image", "used")
        return folder.read("used")


def old(*commands, files=None):
    return ext("ext2", "none", files, commands)


def patched(image, *changes):
    """Numbers of the superblock, or where a negative one stands for the place of a text, behind that."""
    image = bytearray(image)
    for place, form, number in changes:
        struct.pack_into("<" + form, image, place, number)
    return bytes(image)


def table(image):
    """Where the inodes are."""
    return struct.unpack_from("<I", image, 2048 + 8)[0] * 1024


def inode(image, number, *changes):
    """With numbers of an inode changed, which has 128 bytes (ext2) or 256 (ext4)."""
    size = struct.unpack_from("<H", image, 1024 + 88)[0] or 128
    return patched(image, *[(table(image) + (number - 1) * size + place, form, value) for place, form, value in changes])


FEW = {"small": TEXT, "long": LONG}
WRITE_FEW = ["write small small", "write long long", "mkdir folder", "write small folder/inner"]


@functools.cache
def plain():
    return ext("ext2", "none", FEW, WRITE_FEW, size="256k", inodes=16)


@functools.cache
def extents():
    return ext(files={"small": TEXT, "holes": FILES["holes"]}, commands=["write small small", "write holes holes"], size="512k", inodes=16)


def ring():
    """A folder that a map of maps gives one block 65,536 times, with many entries that are not used."""
    entries = struct.pack("<IHBB", 0, 8, 0, 0) * 128
    image = old("write a a", "write b b", "write c c", "mkdir d", files={"a": entries, "b": b"b" * 1024, "c": b"c" * 1024})
    first, second, third = image.rindex(entries) // 1024, image.index(b"b" * 1024) // 1024, image.index(b"c" * 1024) // 1024
    image = image.replace(b"b" * 1024, struct.pack("<256I", *[first] * 256)).replace(b"c" * 1024, struct.pack("<256I", *[second] * 256))
    return inode(image, 15, (4, "I", 1 << 26), (40, "I", 0), (44, "I", 0), (92, "I", third))


INLINE = {"tiny": TEXT[:40], "more": TEXT, "large": LONG}
for name, made in {
    "old": old, "extents": ext, "plain": plain,
    "revision-0": lambda: ext("ext2", "none", more=("-r", "0")),
    "triple": lambda: old("write far far", files={"far": scattered(3, 20, 400, 70000)}),
    "blocks-4096": lambda: ext(block=4096, size="2M"),
    "64-bit": lambda: ext(features="64bit,^has_journal,^resize_inode"),
    "meta-groups": lambda: ext(features="64bit,meta_bg,^has_journal,^resize_inode"),
    "checksums": lambda: ext(features="metadata_csum,^has_journal,^resize_inode"),
    "journal": lambda: ext("ext3", "has_journal", size="3M"),
    "groups": lambda: ext(size="3M", more=("-g", "1024")),
    "inline": lambda: ext(features="inline_data,^has_journal,^resize_inode", files=INLINE, more=("-I", "256"), commands=[
        "write tiny tiny", "write more more", "write large large", "mkdir folder", "cd folder", "write tiny a",
        *[f"write tiny {chr(98 + number) * 12}" for number in range(6)]]),
    "set-aside": lambda: ext(files={"small": TEXT}, commands=["write small small", "fallocate small 0 9"]),
    "many": lambda: ext(files={"small": TEXT}, inodes=64, commands=[f"mkdir folder{number:02}" for number in range(12)] + ["ln folder05 again"]),
    "long-names": lambda: ext(files={"s": TEXT[:9]}, inodes=64, commands=[f"write s {'n' * 100}{number:02}" for number in range(14)]),
    "ring": ring,
    "two-loops": lambda: old("mkdir a", "ln . a/up", "mkdir a/b", "ln a a/b/c", files={}),
    "encrypted": lambda: inode(plain(), 12, (32, "I", 0x800)),
    "encrypted-folder": lambda: inode(plain(), 14, (32, "I", 0x800)),
    "inline-cut": lambda: inode(plain(), 12, (32, "I", 0x10000000), (4, "I", 500)),
    "scale": lambda: patched(plain(), (1048, "I", 7)), "first": lambda: patched(plain(), (1044, "I", 2)),
    "no-inodes": lambda: patched(plain(), (1064, "I", 0)), "inode-large": lambda: patched(plain(), (1112, "H", 4096)),
    "inode-small": lambda: patched(plain(), (1112, "H", 64)), "descriptor": lambda: patched(extents(), (1120, "I", 0xc2), (1278, "H", 8)),
    "no-table": lambda: patched(plain(), (2056, "I", 0xffffff)), "no-descriptor": lambda: patched(plain(), (1024, "I", 1 << 31), (1064, "I", 1)),
    "root-file": lambda: inode(plain(), 2, (0, "H", 0x81a4)), "outside": lambda: inode(plain(), 12, (40, "I", 0xffff)),
    "size": lambda: inode(plain(), 12, (108, "I", 9)), "size-odd": lambda: inode(plain(), 12, (4, "I", 5000)),
    "tree-mark": lambda: inode(extents(), 13, (40, "H", 1)), "tree-deep": lambda: inode(extents(), 13, (46, "H", 5)),
    "tree-outside": lambda: inode(extents(), 13, (56, "I", 0xffffff)), "tree-count": lambda: inode(extents(), 13, (42, "H", 50)),
    "tree-count-deep": lambda: inode(extents(), 13, (42, "H", 50)),
    "entry-short": lambda: plain().replace(struct.pack("<IHBB", 12, 16, 5, 1) + b"small", struct.pack("<IHBB", 12, 4, 5, 1) + b"small"),
    "entry-none": lambda: plain().replace(struct.pack("<I", 13) + b"\x0c\0\4\1long", struct.pack("<I", 9999) + b"\x0c\0\4\1long"),
    "file-cut": lambda: inode(plain()[:-1024], 12, (40, "I", len(plain()) // 1024 - 1), (4, "I", 1024)),
    "pieces-cut": lambda: inode(plain(), 13, (4, "I", 3000), (44, "I", len(plain()) // 1024 - 1))[:-900],
    "short": lambda: plain()[:4096],
}.items():
    seed("EXT", name)(functools.partial(lambda made: pieces(made()), made))
for name, made in {"plain": plain, "extents": extents}.items():
    for limit, values in {"total-0": {"total": 1}, "total-1": {"total": 2}, "total-many": {"total": 80}, "memory": {"memory": 40}, "one": {"objects": 2},
                          "checks-3": {"checks": 3}, "checks-9": {"checks": 9}, "deep": {"flags": 1}}.items():
        seed("EXT", f"{name}-{limit}")(functools.partial(lambda made, values: pieces(made(), **values), made, values))
seed("EXT", "inline-total")(lambda: pieces(ext(features="inline_data,^has_journal,^resize_inode", files=INLINE, more=("-I", "256"),
                                              commands=["write more more"]), total=2))
