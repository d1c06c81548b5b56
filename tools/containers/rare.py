"""Formats of one system or one time."""

import os
import struct
import zlib

from archives import FORMATS, format, raw_deflate
from documents import compound
from tool import Folder


@format("szdd", "ex_")
def szdd(name, data):
    """COMPRESS.EXE of old Windows."""
    with Folder("payload.exe", data) as folder:
        folder.run("mscompress", "payload.exe")
        return folder.read(next(entry for entry in os.listdir(folder.path) if entry.endswith("_")))


@format("chm", "chm")
def chm(name, data):
    with Folder(name, data) as folder:
        folder.write("page.html", b'<html><body><a href="' + name.encode() + b'">x</a></body></html>')
        folder.write("project.hhp", b"[OPTIONS]\nCompiled file=out.chm\nDefault topic=page.html\nTitle=x\n\n[FILES]\npage.html\n" + name.encode() + b"\n")
        folder.run("chmcmd", "project.hhp")
        return folder.read("out.chm")


def egg_field(magic, data):
    return struct.pack("<IBH", magic, 0, len(data)) + data


@format("egg", "egg")
def egg(name, data):
    """ALZip's later format: one deflated file."""
    end, packed = struct.pack("<I", 0x08e28222), raw_deflate(data)
    file = struct.pack("<IIQ", 0x0a8590e3, 1, len(data)) + egg_field(0x0a8591ac, name.encode()) + end
    block = struct.pack("<IBBIII", 0x02b50c13, 1, 0, len(data), len(packed), zlib.crc32(data)) + end + packed
    return b"EGGA" + struct.pack("<HII", 0x100, 1, 0) + end + file + block + end


def ace_block(body):
    return struct.pack("<HH", ~zlib.crc32(body) & 0xffff, len(body)) + body


@format("ace-stored", "ace")
def ace(name, data):
    title = name.encode()
    return ace_block(b"\0" + struct.pack("<H", 0) + b"**ACE**\x14\x14\2\0" + bytes(16) + b"\0") + ace_block(
        b"\1" + struct.pack("<HIIIIIBBHHH", 1, len(data), len(data), 0x5c210000, 0x20, ~zlib.crc32(data) & 0xffffffff, 0, 3, 10, 0, len(title))
        + title) + data


@format("hwp", "hwp")
def hwp(name, data):
    """Hangul version 5 with a packed file in it."""
    head = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000000, 1)
    return compound({"FileHeader": head.ljust(256, b"\0"), "BodyText/Section0": raw_deflate(bytes(100)),
                     "BinData/BIN0001.bin": raw_deflate(data)})


@format("hwp3", "hwp")
def hwp3(name, data):
    properties = bytearray(128)
    properties[124] = 1
    return b"HWP Document File V3.00 \x1a\1\2\3\4\5" + bytes(properties) + bytes(1008) + raw_deflate(data)
