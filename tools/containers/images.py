"""Images with file systems that no other maker has."""

import gzip
import lzma
import os

from archives import FORMATS, format
from tool import Folder


@format("udf-gz", "iso.gz")
def udf(name, data):
    """UDF alone: genisoimage writes ISO 9660 beside it, whose descriptors are wiped out."""
    with Folder(name, data) as folder:
        folder.run("genisoimage", "-quiet", "-udf", "-o", "out.iso", name)
        image = bytearray(folder.read("out.iso"))
    for sector in (16, 17):
        image[sector * 2048:(sector + 1) * 2048] = bytes(2048)
    return gzip.compress(bytes(image), mtime=0)


@format("vhdx-gz", "vhdx.gz")
def vhdx(name, data):
    """A disk of Hyper-V with a FAT file system; packed, for most of it is empty."""
    with Folder("disk.img", FORMATS["fat-image"][1](name, data)) as folder:
        folder.run("qemu-img", "convert", "-f", "raw", "-O", "vhdx", "disk.img", "out.vhdx")
        return gzip.compress(folder.read("out.vhdx"), mtime=0)


@format("ntfs-xz", "img.xz")
def ntfs(name, data):
    with Folder(name, data) as folder:
        folder.write("disk.img", bytes(max(4 << 20, (2 * len(data) + (4 << 20)) // 4096 * 4096)))
        folder.run("mkntfs", "-F", "-Q", "-q", "disk.img")
        folder.run("ntfscp", "-f", "disk.img", name, name)
        # Much of it is a table of all letters, each one more than the one before.
        return lzma.compress(folder.read("disk.img"), filters=[
            {"id": lzma.FILTER_DELTA, "dist": 2}, {"id": lzma.FILTER_LZMA2, "preset": 9}])


def ext(kind, *options):
    def make(name, data):
        with Folder(name, data) as folder:
            os.makedirs(os.path.join(folder.path, "tree", "folder"))
            os.rename(os.path.join(folder.path, name), os.path.join(folder.path, "tree", "folder", name))
            kilobytes = 2048 + 2 * len(data) // 1024
            folder.run("/sbin/mke2fs", "-q", "-t", kind, *options, "-d", "tree", "out.img", f"{kilobytes}k")
            return gzip.compress(folder.read("out.img"), mtime=0)
    return make


FORMATS["ext2-gz"] = ("img.gz", ext("ext2"))
FORMATS["ext4-gz"] = ("img.gz", ext("ext4", "-O", "^has_journal"))
