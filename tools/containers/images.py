"""Images with file systems that no other maker has."""

import gzip
import lzma
import os

import hfsplus
import ntfscompressed
from archives import FORMATS, format
from tool import Folder, Unavailable


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


@format("ntfs-compressed-xz", "img.xz")
def ntfs_compressed(name, data):
    """No tool writes compressed files without mounting; one reads them."""
    with Folder(name, data.ljust(65536, b"\0")) as folder:
        folder.write("disk.img", bytes(max(4 << 20, (2 * len(data) + (4 << 20)) // 4096 * 4096)))
        folder.run("mkntfs", "-F", "-Q", "-q", "disk.img")
        folder.run("ntfscp", "-f", "disk.img", name, name)
        image = ntfscompressed.compress(folder.read("disk.img"), name, data)
        folder.write("disk.img", image)
        if folder.run("ntfscat", "-f", "disk.img", name) != data:
            raise Unavailable("ntfscat reads something else")
    return lzma.compress(image, filters=[{"id": lzma.FILTER_DELTA, "dist": 2}, {"id": lzma.FILTER_LZMA2, "preset": 9}])


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
# A short file and its folder are kept in their inodes.
FORMATS["ext4-inline-gz"] = ("img.gz", ext("ext4", "-I", "256", "-O", "^has_journal,inline_data"))


@format("hfsplus", "img")
def hfsplus_plain(name, data):
    """The file is in many pieces when it is long enough."""
    return hfsplus.hfsplus([hfsplus.File("icon", b"", b"icon" * 100), hfsplus.File(name, data, pieces=12)], 512, 4096)


@format("hfsx-compressed", "img")
def hfsx(name, data):
    return hfsplus.hfsplus([hfsplus.File(name, data, compression=4)], 4096, 4096, b"HX")


@format("hfsplus-lzvn", "img")
def hfsplus_lzvn(name, data):
    return hfsplus.hfsplus([hfsplus.File(name, data, compression=8), hfsplus.File("other", data, compression=12)], 4096, 4096)


@format("dmg-lzfse", "dmg")
def dmg_lzfse(name, data):
    return hfsplus.disk_image(hfsplus.hfsplus([hfsplus.File(name, data)], 4096, 4096), ("bvx2", "bvxn", "bvx1", "bvx-"))


@format("apm-hfsplus", "img")
def apple_partition(name, data):
    return hfsplus.partition_map(hfsplus.hfsplus([hfsplus.File(name, data, compression=3 if len(data) < 3000 else 4)], 512, 4096))


@format("dmg-hfsplus", "dmg")
def dmg_hfsplus(name, data):
    return hfsplus.disk_image(hfsplus.hfsplus([hfsplus.File(name, data)], 4096, 4096))


@format("iso-hfsplus-gz", "iso.gz")
def hybrid(name, data):
    """A disc for several systems, of which only the file system for macOS is left."""
    with Folder(name, data) as folder:
        folder.run("mkdir", "tree")
        folder.run("mv", name, "tree")
        folder.run("xorriso", "-as", "mkisofs", "-quiet", "-hfsplus", "-o", "out.iso", "tree")
        image = bytearray(folder.read("out.iso"))
    for sector in range(16, 20):
        image[sector * 2048:(sector + 1) * 2048] = bytes(2048)
    return gzip.compress(bytes(image), mtime=0)
