"""Programs, and what lies in them or behind them."""

import struct

from archives import FORMATS, format
from volumes import rar_volumes


def program(sections=b"", resources=(0, 0), count=1):
    """The headers of a Windows program of 32 bits, 512 bytes."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, count, 0, 0, 0, 224, 0x102)
    head += struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10b, 6, 0, 512, 0, 0, 0x1000, 0x1000, 0x2000, 0x400000, 0x1000, 0x200, 4, 0,
                        0, 0, 4, 0, 0, 0x10000000, 0x200, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    head += bytes(16) + struct.pack("<II", *resources) + bytes(104)
    head += struct.pack("<8sIIIIIIHHI", b".text", 512, 0x1000, 512, 512, 0, 0, 0, 0, 0x60000020) + sections
    return head.ljust(512, b"\0") + b"\xc3" * 512


@format("pe-resource", "exe")
def pe_resource(name, data, title=1):
    """Raw data in the resources: type 10, a number, neutral language."""
    def directory(number, place):
        return bytes(12) + struct.pack("<HHII", 0, 1, number, place)

    tree = directory(10, 0x80000018) + directory(title, 0x80000030) + directory(0, 0x48)
    tree += struct.pack("<IIII", 0x2000 + 0x58, len(data), 0, 0) + data
    raw = tree.ljust(-(-len(tree) // 512) * 512, b"\0")
    section = struct.pack("<8sIIIIIIHHI", b".rsrc", len(tree), 0x2000, len(raw), 1024, 0, 0, 0, 0, 0x40000040)
    return program(section, (0x2000, len(tree)), 2) + raw


@format("macho-universal", "bin")
def macho_universal(name, data):
    """Two architectures, of which the second is the file."""
    first = struct.pack("<IIIIIIII", 0xfeedfacf, 0x1000007, 3, 2, 0, 0, 0, 0)
    head = struct.pack(">II", 0xcafebabe, 2)
    head += struct.pack(">IIIII", 0x1000007, 3, 4096, len(first), 12) + struct.pack(">IIIII", 0x100000c, 0, 8192, len(data), 12)
    return (head.ljust(4096, b"\0") + first).ljust(8192, b"\0") + data


@format("ico", "ico")
def icon(name, data):
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(data), 22) + data


for label, inner in (("sfx-7z", "7z-lzma2"), ("sfx-cab", "cab-mszip"), ("sfx-arj", "arj")):
    FORMATS[label] = ("exe", lambda name, data, inner=inner: program() + FORMATS[inner][1](name, data))
FORMATS["rar5-stored"] = ("rar", lambda name, data: rar_volumes(name, data, 1)[0][1])
FORMATS["rar3-stored"] = ("rar", lambda name, data: rar_volumes(name, data, 1, old=True)[0][1])
FORMATS["sfx-rar"] = ("exe", lambda name, data: program() + FORMATS["rar5-stored"][1](name, data))
