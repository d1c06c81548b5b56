"""Containers that objects are put into, for conditions on what an object lies in."""

import base64
import io
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib

from patterns import Unmakeable


class Entry:
    """A file on its way into a container, and what the container shall say about it."""

    def __init__(self, data, name="content.bin", packed=False, encrypted=False, before=0):
        self.data, self.name, self.packed, self.encrypted, self.before = data, name, packed, encrypted, before


def zipped(entry, first=()):
    """A ZIP file; other names may come first, by which Office documents are told."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if entry.packed else zipfile.ZIP_STORED) as archive:
        def add(name, data):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 21, 10, 0, 0)), data,
                             zipfile.ZIP_DEFLATED if entry.packed else zipfile.ZIP_STORED)
        for name in first:
            add(name, b"<?xml version=\"1.0\"?>\n")
        for number in range(entry.before):
            add(f"other{number}", b"filler\n")
        add(entry.name, entry.data)
    data = bytearray(out.getvalue())
    if entry.encrypted:
        # The marks of encryption alone: nobody has to read the content.
        for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            at = data.find(signature)
            while at >= 0:
                data[at + place] |= 1
                at = data.find(signature, at + 4)
    return bytes(data)


def office(kind):
    first = ("[Content_Types].xml", "_rels/.rels", f"{kind}/first.xml")
    return lambda entry: zipped(Entry(entry.data, f"{kind}/{entry.name}", entry.packed), first)


def mail(entry):
    parts = [(f"other{number}.txt", b"filler\n") for number in range(entry.before)] + [(entry.name, entry.data)]
    text = ("From: a@example.com\r\nTo: b@example.com\r\nSubject: test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
            "Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=limit\"\r\n\r\n"
            "--=limit\r\nContent-Type: text/plain\r\n\r\nsee below\r\n")
    for name, data in parts:
        body = base64.encodebytes(data).decode().replace("\n", "\r\n")
        text += (f"--=limit\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n"
                 f"Content-Transfer-Encoding: base64\r\n\r\n{body}")
    return (text + "--=limit--\r\n").encode("latin-1")


def tarred(entry):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in [(f"other{n}", b"filler\n") for n in range(entry.before)] + [(entry.name, entry.data)]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def compound(entry):
    """A compound file (MS-CFB, version 3) with one stream, long enough not to lie among the short ones."""
    sector, free, end = 512, 0xffffffff, 0xfffffffe
    data = entry.data + bytes(max(0, 4096 - len(entry.data)))
    count = -(-len(data) // sector)
    tables = 1
    while tables * 128 < tables + 1 + count:
        tables += 1
    if tables > 109:
        raise Unmakeable("more than a small compound file holds")
    chain = [0xfffffffd] * tables + [end] + [tables + 2 + n for n in range(count - 1)] + [end]
    chain += [free] * (tables * 128 - len(chain))
    head = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3e, 3, 0xfffe, 9, 6) + bytes(6)
            + struct.pack("<IIIIIIIII", 0, tables, tables, 0, 4096, end, 0, end, 0)
            + b"".join(struct.pack("<I", n if n < tables else free) for n in range(109)))

    def node(name, kind, child, start, size):
        text = name.encode("utf-16-le") + b"\0\0"
        return (text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) if name else 0, kind, 1, free, free, child)
                + bytes(36) + struct.pack("<IQ", start, size))

    directory = (node("Root Entry", 5, 1, end, 0) + node("Content", 2, free, tables + 1, len(data))
                 + 2 * node("", 0, free, 0, 0))
    return head + struct.pack(f"<{len(chain)}I", *chain) + directory + data + bytes(-len(data) % sector)


def cabinet(entry):
    """A cabinet with one file, not compressed, in blocks of 32 KiB."""
    blocks = [entry.data[at:at + 0x8000] for at in range(0, len(entry.data), 0x8000)]
    name = entry.name.encode() + b"\0"
    start = 36 + 8 + 16 + len(name)
    content = b"".join(struct.pack("<IHH", 0, len(block), len(block)) + block for block in blocks)
    head = b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, start + len(content), 0, 44, 0, 3, 1, 1, 1, 0, 7, 0)
    return (head + struct.pack("<IHH", start, len(blocks), 0)
            + struct.pack("<IIHHHH", len(entry.data), 0, 0, 0x5d75, 0x5000, 0x20) + name + content)


def portable(entry):
    """A PDF file with an embedded file."""
    stream = zlib.compress(entry.data)
    out = bytearray(b"%PDF-1.5\n")
    places = []
    for number, body in enumerate((
            b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>",
            b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream" % (len(stream), stream)), 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)


def disc(entry):
    """An ISO 9660 image with one file."""
    if not shutil.which("genisoimage"):
        raise Unmakeable("ISO 9660 without genisoimage")
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/content.bin", "wb") as out:
            out.write(entry.data)
        return subprocess.run(["genisoimage", "-quiet", "-J", folder], stdout=subprocess.PIPE, check=True).stdout


MAKERS = {
    "CL_TYPE_ZIP": zipped, "CL_TYPE_OOXML_XL": office("xl"), "CL_TYPE_OOXML_WORD": office("word"),
    "CL_TYPE_OOXML_PPT": office("ppt"), "CL_TYPE_MAIL": mail, "CL_TYPE_MSOLE2": compound, "CL_TYPE_PDF": portable,
    "CL_TYPE_MSCAB": cabinet, "CL_TYPE_POSIX_TAR": tarred, "CL_TYPE_ISO9660": disc,
}


def wrapped(kind, entry):
    """An object in a container of a type, as signatures call it."""
    if kind not in MAKERS:
        raise Unmakeable(f"Container {kind}")
    return MAKERS[kind](entry)


def layers(kinds, data):
    """An object in containers, the outermost first; CL_TYPE_ANY may be anything."""
    for kind in reversed(kinds):
        data = wrapped("CL_TYPE_ZIP" if kind == "CL_TYPE_ANY" else kind, Entry(data))
    return data
