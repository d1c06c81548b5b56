"""Encrypted archives of RAR 3 and 5, as the descriptions of the formats say: the only tool that makes them is not free."""

import functools
import hashlib
import struct
import zlib

from archives import FORMATS, format
from passwords import PASSWORD, told
from tool import run
from volumes import rar_block, rar_number

SIGNATURE = b"Rar!\x1a\7\0"
SALT = bytes(range(8))


@functools.cache
def old_key(password, salt=SALT):
    """The key and the vector: a digest of 262,144 repetitions."""
    material, digest, vector = password.encode("utf-16-le") + salt, hashlib.sha1(), b""
    for count in range(0x40000):
        digest.update(material + count.to_bytes(3, "little"))
        if count % 0x4000 == 0:
            vector += digest.copy().digest()[19:]
    words = struct.unpack(">4I", digest.digest()[:16])
    return struct.pack("<4I", *words), vector


def aes(key, vector, data):
    return run(["openssl", "enc", f"-aes-{8 * len(key)}-cbc", "-K", key.hex(), "-iv", vector.hex(), "-nopad"],
               data=data + bytes(-len(data) % 16)) if data else b""


def block(kind, flags, body=b""):
    head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(head) & 0xffff) + head


def old_file(name, data, method=0x30, password=None, salt=SALT, flags=0, version=29, content=None):
    """(header, data) of a file."""
    content = data if content is None else content
    if password:
        content = aes(*old_key(password, salt), content)
        flags |= 0x404 if salt else 0x004
    title = name.encode()
    high = bytes(8) if flags & 0x100 else b""
    return block(0x74, 0x8000 | flags, struct.pack(
        "<IIBIIBBHI", len(content), len(data), 3, zlib.crc32(data), 0x5c210000, version, method, len(title), 0x81a4) + high + title
        + (salt if password else b"")), content


def old_archive(*files, headers=None, flags=0, end=True):
    """`headers`: the password that these are encrypted with."""
    made = SIGNATURE + block(0x73, flags | (0x80 if headers else 0), bytes(6))
    for head, content in (*files, *([(block(0x7b, 0x4000), b"")] if end else [])):
        made += (SALT + aes(*old_key(headers), head) if headers else head) + content
    return made


FORMATS["mail-rar3-password"] = ("eml", lambda name, data: told("out.rar", old_archive(old_file(name, data, password=PASSWORD))))
FORMATS["mail-rar3-password-headers"] = ("eml", lambda name, data: told(
    "out.rar", old_archive(old_file(name, data, password=PASSWORD), headers=PASSWORD)))


@format("mail-rar5-password", "eml")
def new_rar(name, data):
    """Stored; 32,768 rounds of PBKDF2."""
    salt, vector, title = bytes(range(16)), bytes(range(16, 32)), name.encode()

    def key(more):
        return hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, (1 << 15) + more, 32)

    value = key(32)
    check = bytes(value[at] ^ value[at + 8] ^ value[at + 16] ^ value[at + 24] for at in range(8))
    record = rar_number(1) + b"\0\1\x0f" + salt + vector + check + hashlib.sha256(check).digest()[:4]
    record = rar_number(len(record)) + record
    content = aes(key(0), vector, data)
    return told("out.rar", b"Rar!\x1a\7\1\0" + rar_block(1, 0, 0) + rar_block(
        2, 3, len(record), len(content), 0, len(data), 0, 0, 1, len(title), title, record) + content + rar_block(5, 0, 0))
