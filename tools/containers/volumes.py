"""Archives in volumes, which come as attachments of one message."""

import glob
import os
import struct
import zlib

from archives import FORMATS, format
from messages import attachment, mixed
from tool import Folder


def parts(folder, pattern):
    """The volumes that a tool made, in the order in which mail programs sort them."""
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(folder.path, pattern)))
    return attachments([(name, folder.read(name)) for name in names])


def attachments(files):
    return mixed(b"\r\n--=_b\r\n".join(attachment(name, data) for name, data in files))


def size(data):
    """Three volumes or so."""
    return max(100, len(data) // 3 + 1)


@format("mail-7z-volumes", "eml")
def seven_zip(name, data):
    with Folder(name, data) as folder:
        folder.run("7zz", "a", "-mx=0", f"-v{size(data)}b", "out.7z", name)
        return parts(folder, "out.7z.*")


@format("mail-zip-pieces", "eml")
def zip_pieces(name, data):
    with Folder(name, data) as folder:
        folder.run("7zz", "a", "-tzip", "-mx=0", f"-v{size(data)}b", "out.zip", name)
        return parts(folder, "out.zip.*")


@format("mail-zip-spanned", "eml")
def zip_spanned(name, data):
    """As zip -s writes it, whose smallest volume has 64 KiB: each entry and the directory in a volume of its own."""
    whole = FORMATS["zip-deflate"][1](name, data)
    cut = whole.index(b"PK\1\2") // 2
    return attachments([("out.z01", b"PK\x07\x08" + whole[:cut]), ("out.zip", whole[cut:])])


def arj_header(name, kind, flags, method, packed, size, crc):
    """What ARJ writes for itself and before each file, with their checksums."""
    head = struct.pack("<8B4I4H", 30, 11, 1, 2, flags, method, kind, 0, 0x5c210000, packed, size, crc, 0, 0x20, 0, 0)[:30]
    head += name.encode() + b"\0\0"
    return struct.pack("<HH", 0xea60, len(head)) + head + struct.pack("<IH", zlib.crc32(head), 0)


def arj_volumes(name, data, count=3):
    """Stored: arj itself makes no volume smaller than 10,000 bytes. Each volume has its piece of the file packed by itself."""
    pieces = [data[len(data) * part // count:len(data) * (part + 1) // count] for part in range(count)]
    result = []
    for part, piece in enumerate(pieces):
        goes_on, continues = 4 if part + 1 < count else 0, 8 if part else 0
        title = f"out.a{part:02}" if part else "out.arj"
        result.append((title, arj_header(title, 2, 0x10 | goes_on, 0, 0, 0, 0)
                       + arj_header(name, 0, goes_on | continues, 0, len(piece), len(piece), zlib.crc32(piece)) + piece
                       + b"\x60\xea\0\0"))
    return result


@format("mail-arj-volumes", "eml")
def arj(name, data):
    return attachments(arj_volumes(name, data))


@format("mail-arj-packed-volumes", "eml")
def arj_packed(name, data):
    """By arj, of a file that is followed by one which needs a second volume."""
    noise = b"".join(struct.pack("<I", zlib.crc32(struct.pack("<I", number))) for number in range(4000))
    with Folder(name, data) as folder:
        folder.write("noise", noise)
        folder.run("arj", "a", "-y", "-v10000", "out.arj", "noise", name)
        return parts(folder, "out.a*")


def cabinets(name, data, kind=1):
    """One folder of MSZIP (1) or stored (0) in three cabinets, of which each cuts a block: no free tool writes such."""
    blocks = [data[at:at + 32768] for at in range(0, len(data), 32768)]
    stream = []
    for block in blocks:
        if kind:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            stream.append((b"CK" + packer.compress(block) + packer.flush(), len(block)))
        else:
            stream.append((block, len(block)))
    # Each block as pieces of three cabinets: the first two thirds of the blocks, cut at a third.
    parts = [[], [], []]
    for index, (packed, size) in enumerate(stream):
        if index == 0:
            cut = [len(packed) // 3, 2 * len(packed) // 3]
            parts[0].append((packed[:cut[0]], 0))
            parts[1].append((packed[cut[0]:cut[1]], 0))
            parts[2].append((packed[cut[1]:], size))
        else:
            parts[2].append((packed, size))
    result = []
    for number, some in enumerate(parts):
        flags = (1 if number else 0) | (2 if number < 2 else 0)
        names = b""
        if number:
            names += f"out{number}.cab".encode() + b"\0disk\0"
        if number < 2:
            names += f"out{number + 2}.cab".encode() + b"\0disk\0"
        folder = (0xfffe, 0xffff, 0xfffd)[number]
        file = struct.pack("<IIHHHH", len(data), 0, folder, 0x5c21, 0, 0x20) + name.encode() + b"\0"
        start = 36 + len(names) + 8 + len(file)
        body = b"".join(struct.pack("<IHH", 0, len(packed), size) + packed for packed, size in some)
        head = (b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, start + len(body), 0, 36 + len(names) + 8, 0, 3, 1, 1, 1, flags, 7, number) + names
                + struct.pack("<IHH", start, len(some), kind))
        result.append((f"out{number + 1}.cab", head + file + body))
    return result


@format("mail-cab-volumes", "eml")
def cabinet(name, data):
    return attachments(cabinets(name, data))


def rar_number(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + rar_number(value >> 7)


def rar_block(*fields):
    body = b"".join(field if isinstance(field, bytes) else rar_number(field) for field in fields)
    sized = rar_number(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar_volumes(name, data, count=3, old=False):
    """Stored, as RAR 5 writes it, or RAR 3."""
    def old_block(kind, flags, body):
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head

    result, title = [], name.encode()
    for part in range(count):
        piece = data[len(data) * part // count:len(data) * (part + 1) // count]
        is_last = part + 1 == count
        if old:
            file = struct.pack("<IIBIIBBHI", len(piece), len(data), 3, zlib.crc32(data if is_last else piece), 0x5c210000, 29, 0x30,
                               len(title), 0x81a4) + title
            made = (b"Rar!\x1a\7\0" + old_block(0x73, 0x11, bytes(6)) + old_block(0x74, 0x8000 | (1 if part else 0) | (0 if is_last else 2), file)
                    + piece + old_block(0x7b, 0x4000 if is_last else 0x4001, b""))
        else:
            flags = 2 | (8 if part else 0) | (0 if is_last else 16)
            made = (b"Rar!\x1a\7\1\0" + (rar_block(1, 0, 3, part) if part else rar_block(1, 0, 1))
                    + rar_block(2, flags, len(piece), 0, len(data), 0, 0, 1, len(title), title) + piece + rar_block(5, 0, 0 if is_last else 1))
        result.append((f"out.part{part + 1}.rar", made))
    return result


@format("mail-rar-volumes", "eml")
def rar(name, data):
    return attachments(rar_volumes(name, data))


@format("mail-rar3-volumes", "eml")
def old_rar(name, data):
    return attachments(rar_volumes(name, data, old=True))
