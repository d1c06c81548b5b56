"""Images with file systems that no other maker has."""

import gzip

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
