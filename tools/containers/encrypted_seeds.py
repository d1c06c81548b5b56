"""Encrypted files for the fuzzers, with keys that are made in few rounds, so that an input costs little time."""

import base64
import functools
import hashlib
import lzma
import struct
import zlib

import archives
import documents
from seeds import SEEDS, TEXT, conditions, seed
from tool import Folder, Unavailable

PASSWORD = b"s3cret-42"


def cipher(key, mode, data):
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    except ImportError as error:
        raise Unavailable("cryptography of PyPI is not installed") from error
    work = Cipher(algorithms.AES(key), mode).encryptor()
    return work.update(data) + work.finalize()


def cbc(key, vector, data):
    from cryptography.hazmat.primitives.ciphers import modes
    return cipher(key, modes.CBC(vector), data + bytes(-len(data) % 16))


def ecb(key, data):
    from cryptography.hazmat.primitives.ciphers import modes
    return cipher(key, modes.ECB(), data + bytes(-len(data) % 16))


def rc4(key, data):
    state, other, out = list(range(256)), 0, bytearray()
    for index in range(256):
        other = (other + state[index] + key[index % len(key)]) & 255
        state[index], state[other] = state[other], state[index]
    one = two = 0
    for byte in data:
        one = (one + 1) & 255
        two = (two + state[one]) & 255
        state[one], state[two] = state[two], state[one]
        out.append(byte ^ state[(state[one] + state[two]) & 255])
    return bytes(out)


def wide(password):
    return password.decode().encode("utf-16-le")


# ---------------------------------------------------------------- 7z

SALT, VECTOR = b"salt", bytes(range(16))


def seven_key(power, password=PASSWORD):
    if power == 0x3f:
        return (SALT + wide(password)).ljust(32, b"\0")[:32]
    digest = hashlib.sha256()
    for count in range(1 << power):
        digest.update(SALT + wide(password) + struct.pack("<Q", count))
    return digest.digest()


def seven_aes(power):
    return b"\x24\x06\xf1\x07\x01" + bytes([22, 0xc0 | power, 0x3f]) + SALT + VECTOR


def seven_number(value):
    return bytes([value]) if value < 0x80 else b"\xc0" + struct.pack("<H", value)


def packed_folder(content, coder, power):
    """(folder, stream, sizes) of one content."""
    lzma1 = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    lzma2 = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    if coder == "lzma":
        stream, head = lzma.compress(content, lzma.FORMAT_RAW, filters=lzma1), b"\x23\x03\x01\x01\x05\x5d" + struct.pack("<I", 1 << 16)
    elif coder == "lzma2":
        stream, head = lzma.compress(content, lzma.FORMAT_RAW, filters=lzma2), b"\x21\x21\x01\x08"
    else:
        stream, head = content, b""
    if power is None:
        return b"\x01" + head, stream, [len(content)]
    encrypted = cbc(seven_key(power), VECTOR, stream)
    if not head:
        return b"\x01" + seven_aes(power), encrypted, [len(stream)]
    return b"\x02" + head + seven_aes(power) + b"\x00\x01", encrypted, [len(content), len(stream)]


def streams(start, parts, digests):
    made = b"\x06" + seven_number(start) + seven_number(len(parts)) + b"\x09" + b"".join(seven_number(len(part[1])) for part in parts) + b"\0"
    made += b"\x07\x0b" + seven_number(len(parts)) + b"\0" + b"".join(part[0] for part in parts)
    made += b"\x0c" + b"".join(seven_number(size) for part in parts for size in part[2])
    if digests == "some":
        made += b"\x0a\0\x80" + struct.pack("<I", zlib.crc32(parts[0][3]))
    elif digests:
        made += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(part[3])) for part in parts)
    return made + b"\0"


def seven_zip(coder="lzma", power=0x3f, header=None, digests=True, plain=False, cut=0, more=b""):
    parts = [packed_folder(TEXT, coder, power) + (TEXT,)]
    if plain:
        parts.append(packed_folder(b"plain", "lzma2", None) + (b"plain",))
    data = b"".join(part[1] for part in parts)
    names = b"\0" + b"".join(f"{number}.txt".encode("utf-16-le") + b"\0\0" for number in range(len(parts)))
    text = (b"\x01\x04" + streams(0, parts, digests) + more + b"\0\x05" + seven_number(len(parts)) + b"\x11" + seven_number(len(names)) + names + b"\0\0")
    if header:
        part = packed_folder(text, header, power) + (text,)
        text = b"\x17" + streams(len(data), [part], digests) + b"\0"
        data += part[1]
    start = struct.pack("<QQI", len(data), len(text), zlib.crc32(text))
    made = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + data + text
    return made[:len(made) - cut]


for name, made in {
    "lzma": {}, "lzma2": {"coder": "lzma2"}, "stored": {"coder": "copy"}, "power-4": {"power": 4}, "power-25": {"power": 25},
    "header-lzma": {"header": "lzma"}, "header-stored": {"header": "copy"}, "header-lzma2": {"header": "lzma2"},
    "no-digests": {"digests": False}, "some-digests": {"digests": "some", "plain": True}, "plain-beside": {"plain": True},
    "header-no-digests": {"header": "copy", "digests": False}, "cut": {"cut": 9}, "header-stored-no-digests": {"header": "lzma", "digests": False},
    "streams": {"more": b"\x08\x0d\x01\0"},
}.items():
    if made.get("power") == 25:
        seed("7Z-ENCRYPTED", name)(lambda: conditions(
            seven_zip(power=4).replace(seven_aes(4), seven_aes(25)), passwords=PASSWORD))
        continue
    seed("7Z-ENCRYPTED", name)(functools.partial(lambda made: conditions(seven_zip(**made), passwords=b"wrong:" + PASSWORD), made))
for name, values in {"total": {"total": 3}, "memory": {"memory": 2}, "objects": {"objects": 1}, "checks": {"checks": 6}}.items():
    for header in (None, "lzma"):
        seed("7Z-ENCRYPTED", f"{name}-{header}")(functools.partial(
            lambda header, values: conditions(seven_zip(header=header), passwords=PASSWORD, **values), header, values))
seed("7Z-ENCRYPTED", "wrong-many")(lambda: conditions(seven_zip("copy"), passwords=b"a:b:c:d:e:f:g:h:i:j"))
seed("7Z-ENCRYPTED", "wrong-lzma")(lambda: conditions(seven_zip(header="lzma"), passwords=b"wrong:other"))
seed("7Z-ENCRYPTED", "wrong-stored")(lambda: conditions(seven_zip(header="copy"), passwords=b"wrong:other"))
seed("7Z-ENCRYPTED", "none")(seven_zip)


@seed("7Z-ENCRYPTED", "real-bcj2")
def seven_real():
    with Folder("a.bin", TEXT) as folder:
        folder.run("7zz", "a", f"-p{PASSWORD.decode()}", "-mhc=off", "-bso0", "-m0=bcj2", "-m1=lzma", "-m2=lzma", "-m3=lzma",
                   "-mb0:1", "-mb0s1:2", "-mb0s2:3", "out.7z", "a.bin")
        return conditions(folder.read("out.7z"), passwords=PASSWORD)


# ---------------------------------------------------------------- RAR 5

RAR_SALT, POWER = bytes(range(16)), 4


def rar_number(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def rar_key(more=0, password=PASSWORD):
    return hashlib.pbkdf2_hmac("sha256", password, RAR_SALT, (1 << POWER) + more, 32)


def rar_check():
    value = rar_key(32)
    return bytes(value[i] ^ value[i + 8] ^ value[i + 16] ^ value[i + 24] for i in range(8)) + bytes(4)


def rar_header(fields):
    sized = rar_number(len(fields)) + fields
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar_file(name, content, encrypted=True, packed=None, flags=0, power=POWER, check=True):
    data = content if packed is None else packed
    record = b""
    if encrypted:
        data = cbc(rar_key(), VECTOR, data)
        record = rar_number(1) + b"\0" + bytes([1 if check else 0, power]) + RAR_SALT + VECTOR + (rar_check() if check else b"")
        record = rar_number(len(record)) + record
    return (rar_number(2) + rar_number(3 if record else 2) + (rar_number(len(record)) if record else b"") + rar_number(len(data)) + rar_number(flags)
            + rar_number(len(content)) + rar_number(0) + (bytes(4) if flags & 2 else b"") + (bytes(4) if flags & 4 else b"")
            + rar_number(0 if packed is None else 0x80) + rar_number(1) + rar_number(len(name)) + name + record), data


def rar(files, headers=False, cut=0, check=True):
    made = b"Rar!\x1a\7\1\0"
    key = rar_key()

    def put(fields, data=b""):
        head = rar_header(fields)
        return (VECTOR + cbc(key, VECTOR, head) if headers else head) + data

    if headers:
        fields = b"\4\0\0" + bytes([1 if check else 0, POWER]) + RAR_SALT + (rar_check() if check else b"")
        made += rar_header(fields)
    made += put(b"\1\0\0")
    for fields, data in files:
        made += put(fields, data)
    made += put(b"\5\0\0")
    return made[:len(made) - cut]


# Two blocks of packed data: flags, a checksum, a size; the second is the last one.
BLOCKS = b"\x00\x5a\x04abcd" + b"\x48\x5a\x03\x00abc"
for name, made in {
    "stored": lambda: rar([rar_file(b"a.txt", TEXT), rar_file(b"b.txt", TEXT, False)]),
    "headers": lambda: rar([rar_file(b"a.txt", TEXT), rar_file(b"b.txt", TEXT, False)], True),
    "packed": lambda: rar([rar_file(b"a.txt", TEXT, packed=BLOCKS)]),
    "packed-no-end": lambda: rar([rar_file(b"a.txt", TEXT, packed=b"\x00\x5a\x04abcd" * 4)]),
    "packed-wide": lambda: rar([rar_file(b"a.txt", TEXT, packed=b"\x18\x5a\x04abcd" * 4)]),
    "packed-far": lambda: rar([rar_file(b"a.txt", TEXT, packed=b"\x08\x5a\xff\xffabcd" * 4)]),
    "size-unknown": lambda: rar([rar_file(b"a.txt", TEXT, flags=8 | 2 | 4)]),
    "no-check": lambda: rar([rar_file(b"a.txt", TEXT, check=False)]),
    "headers-no-check": lambda: rar([rar_file(b"a.txt", TEXT)], True, check=False),
    "power-25": lambda: rar([rar_file(b"a.txt", TEXT, power=25)]),
    "cut": lambda: rar([rar_file(b"a.txt", TEXT)], cut=60),
    "headers-cut": lambda: rar([rar_file(b"a.txt", TEXT)], True, cut=60),
    "nothing": lambda: rar([rar_file(b"a.txt", b"", False)] * 3),
    "long": lambda: rar([rar_file(b"n" * 300, TEXT * 20)]),
}.items():
    seed("RAR-ENCRYPTED", name)(functools.partial(lambda made: conditions(made(), passwords=b"wrong:" + PASSWORD), made))
for name, values in {"total": {"total": 3}, "memory": {"memory": 2}, "objects": {"objects": 1}, "checks": {"checks": 6}}.items():
    seed("RAR-ENCRYPTED", name)(functools.partial(
        lambda values: conditions(rar([rar_file(b"a.txt", TEXT * 9)], True), passwords=PASSWORD, **values), values))


# ---------------------------------------------------------------- ZIP

def zip_made(*options, plain=TEXT):
    with Folder("a.txt", plain) as folder:
        folder.run("7zz", "a", "-tzip", f"-p{PASSWORD.decode()}", "-bso0", *options, "out.zip", "a.txt")
        return folder.read("out.zip")


for name, options in {
    "crypto": ["-mem=ZipCrypto"], "crypto-stored": ["-mem=ZipCrypto", "-mx=0"], "aes128": ["-mem=AES128"], "aes192": ["-mem=AES192"],
    "aes256": ["-mem=AES256"], "aes256-stored": ["-mem=AES256", "-mx=0"], "aes256-bzip2": ["-mem=AES256", "-mm=BZip2"]}.items():
    seed("ZIP", name)(functools.partial(lambda options: conditions(zip_made(*options), passwords=b"wrong:" + PASSWORD), options))
    seed("ZIP", name + "-wrong")(functools.partial(lambda options: conditions(zip_made(*options), passwords=b"wrong"), options))
    seed("ZIP", name + "-memory")(functools.partial(
        lambda options: conditions(zip_made(*options), passwords=PASSWORD, memory=2), options))
    seed("ZIP", name + "-total")(functools.partial(
        lambda options: conditions(zip_made(*options), passwords=PASSWORD, total=2), options))


@seed("ZIP", "infozip")
def zip_infozip():
    with Folder("a.txt", TEXT) as folder:
        folder.run("zip", "-q", "-P", PASSWORD.decode(), "out.zip", "a.txt")
        return conditions(folder.read("out.zip"), passwords=PASSWORD)


# ---------------------------------------------------------------- PDF

for name, options in {
    "rc4-40": ["40"], "rc4-128": ["128", "--use-aes=n"], "rc4-v4": ["128", "--use-aes=n", "--force-V4"], "aes128": ["128", "--use-aes=y"],
    "aes128-metadata": ["128", "--use-aes=y", "--cleartext-metadata"], "aes256-5": ["256", "--force-R5"], "aes256": ["256"]}.items():
    def made(options, password):
        with Folder("plain.pdf", archives.FORMATS["pdf-attachment"][1]("a.txt", TEXT)) as folder:
            folder.run("qpdf", "--allow-weak-crypto", "--encrypt", PASSWORD.decode(), "owner", *options, "--", "plain.pdf", "out.pdf")
            return conditions(folder.read("out.pdf"), passwords=password)
    seed("PDF", name)(functools.partial(made, options, b"wrong:" + PASSWORD))
    seed("PDF", name + "-wrong")(functools.partial(made, options, b"wrong"))


# ---------------------------------------------------------------- Office

def agile(password=b"VelvetSweatshop", spin=20, algorithm="sha512", bits=256, wrong=None):
    """MS-OFFCRYPTO 2.3.4.10 …: the two streams."""
    def digest(data):
        return hashlib.new(algorithm, data).digest()
    names = {"sha512": "SHA512", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384"}
    salt, data_salt, secret = bytes(range(16)), bytes(range(16, 32)), bytes(range(bits // 8))
    base = digest(salt + wide(password))
    for count in range(spin):
        base = digest(struct.pack("<I", count) + base)

    def block_key(block):
        return (digest(base + block) + b"\x36" * 32)[:bits // 8]
    verifier = b"verify this text"
    encode = lambda data: base64.b64encode(data).decode()  # noqa: E731
    given = encode(cbc(block_key(bytes.fromhex("fea7d2763b4b9e79")), salt, verifier))
    value = encode(cbc(block_key(bytes.fromhex("d7aa0f6d3061344e")), salt, digest(verifier)))
    key = encode(cbc(block_key(bytes.fromhex("146e0be7abacd0d6")), salt, secret))
    if wrong == "key":
        key = "QUFB"
    common = f'saltSize="16" blockSize="16" keyBits="{bits}" hashSize="{len(digest(b""))}" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="{names[algorithm]}"'
    xml = (f'<?xml version="1.0"?><encryption><keyData {common} saltValue="{encode(data_salt)}"/><keyEncryptors><keyEncryptor>'
           f'<p:encryptedKey spinCount="{spin}" {common} saltValue="{encode(salt)}" encryptedVerifierHashInput="{given}" '
           f'encryptedVerifierHashValue="{value}" encryptedKeyValue="{key}"/></keyEncryptor></keyEncryptors></encryption>')
    package = b"".join(
        cbc(secret, digest(data_salt + struct.pack("<I", number))[:16], piece)
        for number, piece in enumerate([(TEXT * 60)[at:at + 4096] for at in range(0, len(TEXT) * 60, 4096)]))
    return {"EncryptionInfo": struct.pack("<HHI", 4, 4, 0x40) + xml.encode(), "EncryptedPackage": struct.pack("<Q", len(TEXT) * 60) + package}


def standard(password=b"VelvetSweatshop", bits=128, cipher_id=0x660e, says_nothing=False):
    """MS-OFFCRYPTO 2.3.4.5 …"""
    salt = bytes(range(16))
    base = hashlib.sha1(salt + wide(password)).digest()
    for count in range(50000):
        base = hashlib.sha1(struct.pack("<I", count) + base).digest()
    last = hashlib.sha1(base + bytes(4)).digest()
    key = b"".join(hashlib.sha1(bytes(a ^ b for a, b in zip(last.ljust(64, b"\0"), pad * 64))).digest() for pad in (b"\x36", b"\x5c"))[:bits // 8]
    verifier = b"verify this text"
    head = struct.pack("<IIIIIIII", 0x24, 0, cipher_id, 0x8004, bits, 0x18, 0, 0) + "Provider\0".encode("utf-16-le")
    info = (struct.pack("<HHII", 4, 2, 0x24, len(head)) + head + struct.pack("<I", 16) + salt + ecb(key, verifier) + struct.pack("<I", 20)
            + ecb(key, hashlib.sha1(verifier).digest().ljust(32, b"\0")))
    if says_nothing:
        info = info.replace(struct.pack("<II", bits, 0x18), struct.pack("<II", 0, 0x18))
    return {"EncryptionInfo": info, "EncryptedPackage": struct.pack("<Q", len(TEXT)) + ecb(key, TEXT)}


def stream_encryption(new, password, bits=128):
    """MS-OFFCRYPTO 2.3.5 and 2.3.6: what the stream says, and its cipher by blocks."""
    salt, verifier = bytes(range(16)), b"verify this text"
    digest = hashlib.sha1 if new else hashlib.md5
    if new:
        base = digest(salt + wide(password)).digest()
    else:
        base = hashlib.md5((hashlib.md5(wide(password)).digest()[:5] + salt) * 16).digest()[:5]

    def key(block):
        made = digest(base + struct.pack("<I", block)).digest()
        if not new:
            return made
        return made[:bits // 8] + (bytes(11) if bits == 40 else b"")
    checked = rc4(key(0), verifier + digest(verifier).digest())
    if new:
        head = struct.pack("<IIIIIIII", 4, 0, 0x6801, 0x8004, bits, 1, 0, 0)
        info = struct.pack("<HHII", 2, 2, 4, len(head)) + head + struct.pack("<I", 16) + salt + checked[:16] + struct.pack("<I", 20) + checked[16:]
    else:
        info = struct.pack("<HH", 1, 1) + salt + checked
    return info, lambda data, size: b"".join(rc4(key(n), data[n * size:n * size + size]) for n in range((len(data) + size - 1) // size))


def word(new, password=b"VelvetSweatshop", flags=0x100 | 0x200, table="1Table", bits=128):
    info, encrypt = stream_encryption(new, password, bits)
    head = struct.pack("<HHHHHH", 0xa5ec, 0xc1, 0, 0, 0, flags).ljust(68, b"\0")
    content = head + TEXT * 20
    made = {"WordDocument": content[:68] + encrypt(content, 512)[68:]}
    if table:
        made[table] = info.ljust(200, b"\0")
    return documents.compound(made)


def sheet(new, password=b"VelvetSweatshop", kind=1, name="Workbook", record=0x2f):
    info, encrypt = stream_encryption(new, password)
    body = struct.pack("<H", kind) + info
    text = struct.pack("<HH", 0x809, 4) + bytes(4) + struct.pack("<HH", record, len(body)) + body
    text += struct.pack("<HH", 0x85, 16) + TEXT[:16] + struct.pack("<HH", 0xfc, len(TEXT) * 20) + TEXT * 20
    # Which bytes are not encrypted, as records have it.
    plain, place = set(), 0
    while place + 4 <= len(text):
        number, size = struct.unpack_from("<HH", text, place)
        end = place + 4 + (size if number in (0x809, 0x2f, 0x194, 0x195, 0xe1, 0x196, 0x138) else 4 if number == 0x85 else 0)
        plain.update(range(place, end))
        place += 4 + size
    hidden = encrypt(text, 1024)
    return documents.compound({name: bytes(text[at] if at in plain else hidden[at] for at in range(len(text)))})


for name, made in {
    "agile": lambda: documents.compound(agile()), "agile-sha1": lambda: documents.compound(agile(algorithm="sha1", bits=128)),
    "agile-sha256": lambda: documents.compound(agile(algorithm="sha256")), "agile-sha384": lambda: documents.compound(agile(algorithm="sha384")),
    "agile-192": lambda: documents.compound(agile(bits=192)), "agile-wrong": lambda: documents.compound(agile(b"other")),
    "agile-key": lambda: documents.compound(agile(wrong="key")), "agile-spins": lambda: documents.compound(agile(spin=3)),
    "agile-told": lambda: conditions(documents.compound(agile(PASSWORD)), passwords=PASSWORD),
    "agile-total": lambda: conditions(documents.compound(agile()), total=200),
    "agile-memory": lambda: conditions(documents.compound(agile()), memory=5),
    "agile-no-info": lambda: documents.compound({"EncryptedPackage": agile()["EncryptedPackage"]}),
    "standard": lambda: documents.compound(standard()), "standard-256": lambda: documents.compound(standard(bits=256, cipher_id=0x6610)),
    "standard-0": lambda: documents.compound(standard(says_nothing=True)), "standard-rc4": lambda: documents.compound(standard(cipher_id=0x6801)),
    "standard-wrong": lambda: documents.compound(standard(b"other")),
    "word-old": lambda: word(False), "word-new": lambda: word(True), "word-40": lambda: word(True, bits=40), "word-wrong": lambda: word(True, b"other"),
    "word-xor": lambda: word(False, flags=0x8100), "word-no-table": lambda: word(True, table=None),
    "word-other-table": lambda: word(True, flags=0x100, table="0Table"), "word-told": lambda: conditions(word(True, PASSWORD), passwords=b"x:" + PASSWORD),
    "sheet-old": lambda: sheet(False), "sheet-new": lambda: sheet(True, name="Book"), "sheet-xor": lambda: sheet(True, kind=0),
    "sheet-wrong": lambda: sheet(True, b"other"), "sheet-plain": lambda: sheet(True, record=0x30),
    "word-total": lambda: conditions(word(True), total=40), "sheet-total": lambda: conditions(sheet(True), total=40),
}.items():
    seed("OLE2", name)(made)


WIDE_PASSWORD = "p\u00e4\u20ac\U0001f600\u0001".encode()
seed("OLE2", "agile-wide")(lambda: conditions(documents.compound(agile(WIDE_PASSWORD)), passwords=b"a\xff:" + WIDE_PASSWORD))
seed("OLE2", "agile-names")(lambda: documents.compound({
    name: data.replace(b'"SHA512"', b'"SHA-1"').replace(b"<keyData", b"<x keyData/><keyDatas/><p:keyData", 1) for name, data in agile().items()}))
for text, other in ((b'"SHA512"', b'"SHA9"'), (b"spinCount=\"20\"", b"spinCount=\"2x\""), (b"spinCount=\"20\"", b"spinCount=\"\""), (b"spinCount=\"20\"", b"spinCounts=\"2"),
                    (b'keyBits="256"', b'keyBits="100"'), (b'encryptedKeyValue="', b'encryptedKeyValue="' + b"A" * 600), (b"hashAlgorithm", b"hashalgorithm"), (b"/></keyEncryptor>", b"")):
    seed("OLE2", f"agile-{hashlib.sha1(text + other).hexdigest()[:6]}")(lambda text=text, other=other: documents.compound(
        {name: data.replace(text, other) for name, data in agile().items()}))
