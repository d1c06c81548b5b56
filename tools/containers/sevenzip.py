"""7z archives with coders that 7-Zip itself does not write (the numbers are those of its list for other programs)."""

import struct
import zlib

from archives import FORMATS, format
from tool import Folder


def number(value):
    if value < 0x80:
        return bytes([value])
    if value < 0x4000:
        return bytes([0x80 | value >> 8, value & 255])
    return b"\xe0" + value.to_bytes(3, "little")


def sevenzip(coder, packed, name, data, properties=b"", files=True):
    """An archive of one file with one coder; without `files` it is not said that there is one file in it, which is so then."""
    flags = len(coder) | (0x20 if properties else 0)
    folder = b"\1" + bytes([flags]) + coder + (number(len(properties)) + properties if properties else b"")
    streams = (b"\x04\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\0"
               + b"\x07\x0b" + number(1) + b"\0" + folder + b"\x0c" + number(len(data)))
    check = b"\x0a\1" + struct.pack("<I", zlib.crc32(data)) + b"\0"
    streams += (b"\0\x08" if files else b"") + check + b"\0"
    title = b"\0" + name.encode("utf-16-le") + b"\0\0"
    header = b"\1" + streams + b"\x05" + number(1) + b"\x11" + number(len(title)) + title + b"\0\0"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


def framed(stream, data=None):
    """A stream behind a frame to be skipped, which has its size; for Brotli also what it is."""
    body = struct.pack("<I", len(stream))
    if data is not None:
        body += b"BR" + struct.pack("<H", (len(data) + 65535) // 65536)
    return struct.pack("<II", 0x184d2a50, len(body)) + body + stream


def halves(data):
    return [data[:len(data) // 2], data[len(data) // 2:]]


@format("7z-zstd", "7z")
def zstandard(name, data):
    return sevenzip(b"\4\xf7\x11\1", FORMATS["zstd"][1](name, data), name, data, b"\1\5\3\0\0")


@format("7z-no-substreams", "7z")
def no_substreams(name, data):
    return sevenzip(b"\0", data, name, data, files=False)


@format("7z-lz4-threads", "7z")
def lz4(name, data):
    packed = b"".join(framed(FORMATS["lz4"][1](name, half)) for half in halves(data))
    return sevenzip(b"\4\xf7\x11\4", packed, name, data, b"\1\x0a\3\0\0")


@format("7z-brotli", "7z")
def brotli(name, data):
    return sevenzip(b"\4\xf7\x11\2", FORMATS["brotli"][1](name, data), name, data, b"\1\1\3\0\0")


@format("7z-brotli-threads", "7z")
def brotli_threads(name, data):
    packed = b"".join(framed(FORMATS["brotli"][1](name, half), half) for half in halves(data))
    return sevenzip(b"\4\xf7\x11\2", packed, name, data, b"\1\1\3\0\0")


@format("7z-riscv", "7z")
def riscv(name, data):
    """By 7-Zip; what it packs holds what looks like calls and loads, or there would be nothing to undo."""
    with Folder(name, data) as folder:
        folder.write("code", calls())
        folder.run("7zz", "a", "-t7z", "-bso0", "-m0=riscv", "-m1=lzma2", "out.7z", "code", name)
        return folder.read("out.7z")


def calls(count=200):
    """Instructions of RISC-V: calls, pairs, and bytes that look as if they were converted."""
    code = b""
    for index in range(count):
        code += struct.pack("<I", 0xef | (1 if index % 3 else 5) << 7 | (index * 0x1234567 & 0xfffff) << 12)
        code += struct.pack("<II", 0x17 | 10 << 7 | index << 12, 0x3 | 10 << 15 | (index * 77 & 0xfff) << 20)
        code += struct.pack("<II", 0x3117 | index % 32 << 27, index * 0x01020304) + struct.pack("<I", 0x17 | 11 << 7) + b"\1\0"
    return code
