"""Encrypted files whose password stands in the message that brings them."""

import hashlib
import io
import struct
import zipfile
import zlib

from archives import FORMATS, format
from documents import compound
from messages import attachment, mixed
from tool import Folder, Unavailable

PASSWORD = "s3cret-42"


def told(name, data):
    return mixed(attachment(name, data), head=b"").replace(
        b"hello\r\n", b"Please find the file attached. The password for it is: " + PASSWORD.encode() + b".\r\n", 1)


def zipped(*options):
    def make(name, data):
        with Folder(name, data) as folder:
            folder.run("7zz", "a", "-tzip", f"-p{PASSWORD}", *options, "out.zip", name)
            return told("out.zip", folder.read("out.zip"))
    return make


FORMATS["mail-zip-crypto"] = ("eml", zipped("-mem=ZipCrypto"))
FORMATS["mail-zip-crypto-stored"] = ("eml", zipped("-mem=ZipCrypto", "-mx=0"))
FORMATS["mail-zip-aes128"] = ("eml", zipped("-mem=AES128"))
FORMATS["mail-zip-aes256"] = ("eml", zipped("-mem=AES256"))
FORMATS["mail-zip-aes256-lzma"] = ("eml", zipped("-mem=AES256", "-mm=LZMA"))


@format("mail-zip-infozip", "eml")
def infozip(name, data):
    with Folder(name, data) as folder:
        folder.run("zip", "-q", "-P", PASSWORD, "out.zip", name)
        return told("out.zip", folder.read("out.zip"))


def pdf(bits, *options):
    def make(name, data):
        plain = FORMATS["pdf-attachment"][1](name, data)
        with Folder("plain.pdf", plain) as folder:
            folder.run("qpdf", "--allow-weak-crypto", "--encrypt", PASSWORD, "owner", bits, *options, "--", "plain.pdf", "out.pdf")
            return told("out.pdf", folder.read("out.pdf"))
    return make


FORMATS["mail-pdf-rc4"] = ("eml", pdf("128", "--use-aes=n"))
FORMATS["mail-pdf-aes128"] = ("eml", pdf("128", "--use-aes=y"))
FORMATS["mail-pdf-aes256"] = ("eml", pdf("256"))


def pdf_of_owner(bits, *options):
    """The message tells the password that the owner has, not the user's."""
    def make(name, data):
        plain = FORMATS["pdf-attachment"][1](name, data)
        with Folder("plain.pdf", plain) as folder:
            folder.run("qpdf", "--allow-weak-crypto", "--encrypt", "nobody tells", PASSWORD, bits, *options, "--",
                       "plain.pdf", "out.pdf")
            return told("out.pdf", folder.read("out.pdf"))
    return make


FORMATS["mail-pdf-owner-rc4"] = ("eml", pdf_of_owner("40"))
FORMATS["mail-pdf-owner-aes128"] = ("eml", pdf_of_owner("128", "--use-aes=y"))
FORMATS["mail-pdf-owner-aes256"] = ("eml", pdf_of_owner("256"))


def office(password):
    def make(name, data):
        try:
            from msoffcrypto.format.ooxml import OOXMLFile
        except ImportError as error:
            raise Unavailable("msoffcrypto-tool of PyPI is not installed") from error
        plain = io.BytesIO(FORMATS["docx-ole"][1](name, data))
        # The module writes streams below 4,096 bytes wrong.
        with zipfile.ZipFile(plain, "a", zipfile.ZIP_STORED) as package:
            package.writestr("docProps/thumbnail.bin", bytes(8192))
        out = io.BytesIO()
        OOXMLFile(plain).encrypt(password, out)
        return out.getvalue()
    return make


FORMATS["mail-docx-agile"] = ("eml", lambda name, data: told("a.docx", office(PASSWORD)(name, data)))
FORMATS["xlsx-built-in-password"] = ("xlsx", office("VelvetSweatshop"))


def seven_zip(*options):
    def make(name, data):
        with Folder(name, data) as folder:
            folder.run("7zz", "a", f"-p{PASSWORD}", *options, "out.7z", name)
            return told("out.7z", folder.read("out.7z"))
    return make


FORMATS["mail-7z-password"] = ("eml", seven_zip("-mhe=off"))
FORMATS["mail-7z-password-header"] = ("eml", seven_zip("-mhe=on"))
FORMATS["mail-7z-password-lzma"] = ("eml", seven_zip("-mhe=off", "-m0=lzma"))
FORMATS["mail-7z-password-stored"] = ("eml", seven_zip("-mhe=off", "-m0=copy"))
FORMATS["mail-7z-password-bcj2"] = ("eml", seven_zip(
    "-mhe=off", "-m0=bcj2", "-m1=lzma", "-m2=lzma", "-m3=lzma", "-mb0:1", "-mb0s1:2", "-mb0s2:3"))
FORMATS["mail-7z-password-deflate64"] = ("eml", seven_zip("-mhe=on", "-m0=deflate64"))


def rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


@format("mail-ppt-password", "eml")
def presentation(name, data):
    """A presentation before 2007 (MS-PPT 2.3.7) with an embedded object, each of its objects encrypted by itself."""
    salt, verifier = bytes(range(16)), bytes(range(16, 32))
    base = hashlib.sha1(salt + PASSWORD.encode("utf-16-le")).digest()

    def hidden(block, plain):
        return rc4(hashlib.sha1(base + struct.pack("<I", block)).digest()[:16], plain)

    both = hidden(0, verifier + hashlib.sha1(verifier).digest())
    provider = "Microsoft Enhanced Cryptographic Provider v1.0".encode("utf-16-le") + b"\0\0"
    header = struct.pack("<IIIIIIII", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + provider
    info = (struct.pack("<HHII", 2, 2, 4, len(header)) + header + struct.pack("<I", 16) + salt + both[:16]
            + struct.pack("<I", 20) + both[16:])

    def record(kind, body, instance=0, version=0):
        return struct.pack("<HHI", instance << 4 | version, kind, len(body)) + body

    stored = record(0x1011, struct.pack("<I", len(data)) + zlib.compress(data), 1)
    slide = record(0x03e8, bytes(40), version=15)
    stream = hidden(1, slide) + hidden(2, stored)
    session = len(stream)
    stream += record(0x2f14, info, version=15)
    directory = len(stream)
    stream += record(0x1772, struct.pack("<IIII", 3 << 20 | 1, 0, len(slide), session))
    edit = len(stream)
    stream += record(0x0ff5, struct.pack("<IHBBIIIIHHI", 0, 0, 0, 3, 0, directory, 1, 4, 1, 0, 3))
    user = record(0x0ff6, struct.pack("<IIIHHBBH", 20, 0xf3d1c4df, edit, 4, 0x03f4, 3, 0, 0) + b"user" + struct.pack("<I", 8))
    return told("a.ppt", compound({"Current User": user, "PowerPoint Document": stream.ljust(4096, b"\0")}))
