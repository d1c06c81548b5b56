"""What mail programs put files into, for the fuzzers: signed messages and winmail.dat with all kinds of fields."""

import functools
import os
import struct
import zlib

import documents
from seeds import TEXT, conditions, pieces, raw_deflate, seed
from tool import Folder


def ber(tag, *parts, indefinite=False):
    content = b"".join(parts)
    if indefinite:
        return bytes([tag, 0x80]) + content + b"\0\0"
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


PKCS7 = bytes.fromhex("06092a864886f70d0107")
COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")


def signed(kind=2, content=None, indefinite=False, identity=None, inner=True):
    identity = PKCS7 + bytes([kind]) if identity is None else identity
    octets = ber(4, TEXT) if content is None else content
    inside = ber(0x30, PKCS7 + b"\x01", *([ber(0xa0, octets, indefinite=indefinite)] if inner else []), indefinite=indefinite)
    body = ber(0x30, ber(2, b"\x01"), ber(0x31), inside, indefinite=indefinite)
    return ber(0x30, identity, ber(0xa0, body, indefinite=indefinite), indefinite=indefinite)


for name, made in {
    "signed": lambda: signed(), "enveloped": lambda: signed(3), "digested": lambda: signed(5), "encrypted": lambda: signed(6), "indefinite": lambda: signed(indefinite=True),
    "pieces": lambda: signed(content=ber(0x24, ber(4, TEXT), ber(0x24, ber(4, TEXT), indefinite=True), indefinite=True), indefinite=True),
    "detached": lambda: signed(inner=False), "sequence": lambda: signed(content=ber(0x30, ber(4, TEXT))), "integer": lambda: signed(content=ber(2, TEXT)),
    "compressed": lambda: signed(identity=COMPRESSED, content=ber(4, zlib.compress(TEXT))), "compressed-damaged": lambda: signed(identity=COMPRESSED, content=ber(4, b"damaged" * 9)),
    "compressed-total": lambda: conditions(signed(identity=COMPRESSED, content=ber(4, zlib.compress(TEXT * 9))), total=4), "cut": lambda: signed()[:-50],
    "other": lambda: signed(identity=ber(6, b"\x2a\x03") + bytes(20)), "primitive-indefinite": lambda: signed(content=b"\x04\x80" + TEXT), "total": lambda: conditions(signed(), total=2),
    "long-length": lambda: b"\x30\x85" + bytes(5) + signed()[2:], "length-too-long": lambda: b"\x30\x89" + bytes(9) + signed()[2:], "high-tag": lambda: signed(content=b"\x1f\x81\x01\x02aa"),
    "no-explicit": lambda: ber(0x30, PKCS7 + b"\x02", ber(0xa1, TEXT)), "no-sequence": lambda: ber(0x30, PKCS7 + b"\x02", ber(0xa0, ber(4, TEXT))),
}.items():
    seed("SMIME", name)(made)


def attribute(level, identity, data, cut=0):
    return bytes([level]) + struct.pack("<II", identity, len(data)) + data[:len(data) - cut] + struct.pack("<H", sum(data) & 0xffff)


def mapi(*properties, count=None):
    return struct.pack("<I", len(properties) if count is None else count) + b"".join(properties)


def prop(kind, number, value, name=None, values=None):
    out = struct.pack("<HH", kind, number)
    if name is not None:
        out += bytes(16) + (struct.pack("<II", 0, name) if isinstance(name, int) else struct.pack("<II", 1, len(name)) + name + bytes(-len(name) % 4))
    if kind & 0xfff in (0x1e, 0x1f, 0x0d, 0x102):
        many = [value] if values is None else values
        return out + struct.pack("<I", len(many)) + b"".join(struct.pack("<I", len(item)) + item + bytes(-len(item) % 4) for item in many)
    if kind & 0x1000:
        out += struct.pack("<I", len(values))
        value = b"".join(values)
    return out + value + bytes(-len(value) % 4)


def rtf_packed(data, kind=0x75465a4c):
    return struct.pack("<IIII", len(data) + 12, 400, kind, 0) + data


LZFU = b"\x00{\\rtf1 a" + b"\x06b\x0d\x00\x0f\xf9cdefg" + b"\xff" + b"\x00\x0f" * 8 + b"\x01\x0e\x90"
ATTACH = attribute(2, 0x00069002, bytes(14))
for name, parts in {
    "attachment": [ATTACH, attribute(2, 0x00018010, b"a.txt\0"), attribute(2, 0x0006800f, TEXT)],
    "name-behind": [ATTACH, attribute(2, 0x0006800f, TEXT), attribute(2, 0x00018010, b"a.txt\0"), ATTACH, attribute(2, 0x0006800f, TEXT)],
    "body": [attribute(1, 0x0002800c, TEXT)], "cut": [ATTACH, attribute(2, 0x0006800f, TEXT)[:40]], "unknown": [attribute(1, 0x00078008, b"x")],
    "properties": [ATTACH, attribute(2, 0x00069005, mapi(
        prop(3, 0x3705, b"\1\0\0\0"), prop(0x1e, 0x3707, b"long name.txt\0"), prop(0x1f, 0x3707, "l\u00e4ng.txt\0".encode("utf-16-le")), prop(0x102, 0x3701, TEXT),
        prop(0x0d, 0x3701, bytes(16) + TEXT), prop(0x1e, 0x3707, b"")))],
    "message": [attribute(1, 0x00069003, mapi(
        prop(0x1e, 0x1000, TEXT), prop(0x102, 0x1013, b"<html>"), prop(0x102, 0x1009, rtf_packed(LZFU)), prop(0x102, 0x1009, rtf_packed(TEXT, 0x414c454d)),
        prop(0x102, 0x1009, rtf_packed(TEXT, 1)), prop(0x102, 0x1009, b"x"), prop(0x102, 0x1009, rtf_packed(b"\xff\x00"))))],
    "named": [attribute(1, 0x00069003, mapi(prop(3, 0x8001, b"\0\0\0\0", name=7), prop(0x1e, 0x8002, b"x", name=b"n\0a\0"), prop(0x1e, 0x1000, TEXT)))],
    "many-values": [attribute(1, 0x00069003, mapi(prop(0x1003, 0x1234, b"", values=[bytes(4)] * 3), prop(0x101e, 0x1000, b"", values=[b"one", b"two"]), prop(0x1e, 0x1000, TEXT)))],
    "sizes": [attribute(1, 0x00069003, mapi(*[prop(kind, 1, bytes(size)) for kind, size in (
        (0, 4), (1, 4), (2, 4), (5, 8), (6, 8), (7, 8), (0x0a, 4), (0x0b, 4), (0x14, 8), (0x40, 8), (0x48, 16))], prop(0x1e, 0x1000, TEXT)))],
    "type-unknown": [attribute(1, 0x00069003, mapi(prop(0x77, 1, b"")))], "count-large": [attribute(1, 0x00069003, mapi(prop(0x1e, 0x1000, TEXT), count=1 << 31))],
    "many-large": [attribute(1, 0x00069003, mapi(struct.pack("<HHI", 0x1003, 1, 0xffffffff)))], "many-cut": [attribute(1, 0x00069003, mapi(struct.pack("<HH", 0x1003, 1), count=9))],
    "name-cut": [attribute(1, 0x00069003, mapi(struct.pack("<HH", 3, 0x8001), count=9))], "name-long": [attribute(1, 0x00069003, mapi(prop(3, 0x8001, b"", name=b"")[:-4] + b"\xff\xff\xff\x7f", count=9))],
    "name-no-size": [attribute(1, 0x00069003, mapi(prop(3, 0x8001, b"", name=b"")[:24], count=9))], "value-cut": [attribute(1, 0x00069003, mapi(struct.pack("<HHI", 0x1e, 0x1000, 2), count=9))],
}.items():
    data = struct.pack("<IH", 0x223e9f78, 1) + b"".join(parts)
    seed("TNEF", name)(lambda data=data: data)
    for total in (1, 2, 3):
        seed("TNEF", f"{name}-total-{total}")(lambda data=data, total=total: conditions(data, total=total))


# ---------------------------------------------------------------- what libarchive reads, with more than files

def tree_of(*command, output, more=()):
    """A folder with files, a link, a hard link, an empty file, and names that are no UTF-8, packed by a tool."""
    def make():
        with Folder("a.txt", TEXT) as folder:
            folder.write("tree/b.txt", TEXT * 300)
            folder.write("tree/empty", b"")
            os.symlink("b.txt", os.path.join(folder.path, "tree", "link"))
            os.link(os.path.join(folder.path, "tree", "b.txt"), os.path.join(folder.path, "tree", "hard"))
            with open(os.path.join(os.fsencode(folder.path), b"tree", b"\xe4\xff.txt"), "wb") as out:
                out.write(TEXT)
            with open(os.path.join(os.fsencode(folder.path), b"list"), "wb") as out:
                out.write(b"a.txt\ntree\ntree/b.txt\ntree/hard\ntree/link\ntree/empty\ntree/\xe4\xff.txt\n")
            folder.run("sh", "-c", " ".join(command))
            return folder.read(output)
    return make


TREES = {
    "CPIO": {kind: f"cpio -o -H {kind} < list > out" for kind in ("newc", "crc", "odc", "bin")},
    "AR": {"gnu": "ar qc out a.txt tree/*", "bsdtar": "bsdtar --format ar -cf out a.txt tree/b.txt tree/hard", "svr4": "bsdtar --format arbsd -cf out tree/* || ar qc out a.txt"},
    "XAR": {kind: f"bsdtar --format xar --options xar:compression={kind} -cf out a.txt tree" for kind in ("none", "gzip", "bzip2", "xz", "lzma")},
    "7Z": {"tree": "7zz a -t7z -bso0 out.7z a.txt tree && mv out.7z out", "encrypted": "7zz a -t7z -ppassword -bso0 out.7z a.txt tree && mv out.7z out",
           "encrypted-names": "7zz a -t7z -ppassword -mhe=on -bso0 out.7z a.txt tree && mv out.7z out",
           "mixed": "7zz a -t7z -bso0 out.7z a.txt && 7zz a -t7z -ppassword -bso0 out.7z tree && mv out.7z out",
           "arm64": "7zz a -t7z -m0=arm64 -m1=lzma2 -bso0 out.7z a.txt && mv out.7z out", "solid-no": "7zz a -t7z -ms=off -bso0 out.7z a.txt tree && mv out.7z out"},
    "LHA": {f"lh{kind}": f"jlha ao{kind} out.lzh a.txt tree && mv out.lzh out" for kind in (5, 6, 7)},
    "CAB": {"tree": "gcab -c -z out a.txt tree/b.txt tree/empty", "stored": "gcab -c out a.txt tree/b.txt"},
    "ISO": {"tree": "genisoimage -quiet -R -o out tree", "deep": "genisoimage -quiet -o out tree"},
    "TAR": {"gnu": "tar -cf out --format=gnu a.txt tree", "pax": "tar -cf out --format=pax a.txt tree", "v7": "tar -cf out --format=v7 a.txt tree",
            "sparse-gnu": "truncate -s 1M s && echo x >> s && tar -cSf out --format=gnu s", "sparse-pax": "truncate -s 1M s && echo x >> s && tar -cSf out --format=pax s",
            "sparse-0": "truncate -s 1M s && echo x >> s && tar -cSf out --format=pax --sparse-version=0.0 s",
            "sparse-01": "truncate -s 1M s && echo x >> s && tar -cSf out --format=pax --sparse-version=0.1 s", "multi": "tar -cf out -M -L 10 --new-volume-script=true a.txt tree || true",
            "long": "n=$(printf 'n%.0s' $(seq 150)); mkdir $n; cp a.txt $n/$n; tar -cf out --format=gnu $n; tar -rf out --format=gnu a.txt"},
}
for format, kinds in TREES.items():
    for name, command in kinds.items():
        made = tree_of(command, output="out")
        if format == "ISO":
            made = functools.partial(lambda made: pieces(made()), made)
        seed(format, "tree-" + name)(made)
        for limit, values in {"total": {"total": 2}, "memory": {"memory": 20}, "checks": {"checks": 5}}.items():
            if format != "ISO":
                seed(format, f"tree-{name}-{limit}")(functools.partial(lambda made, values: conditions(made(), **values), made, values))


# ---------------------------------------------------------------- compound files

def macros(*tokens, stored=False, damage=b""):
    """A container of VBA (MS-OVBA 2.4.1) behind some bytes of a module."""
    if stored:
        return bytes(200) + b"\x01" + struct.pack("<H", 0x3000 | len(TEXT) + 5) + b"\0Attribut" + TEXT
    body = b"\0Attribut"
    for token in tokens:
        body += token
    body += damage
    return bytes(200) + b"\x01" + struct.pack("<H", 0xb000 | len(body) - 1) + body


COPIES = b"\x00e VB_Na" + b"\x06m" + struct.pack("<HH", 8 << 12 | 1, 3 << 12) + b"= abcd" + b"\x01" + struct.pack("<H", 0x0005)
ENCRYPTED_INFO = struct.pack("<HHII", 2, 2, 4, 5000)
HWP = b"HWP Document File".ljust(32, b"\0") + struct.pack("<I", 0x05000000)
for name, streams in {
    "macros": {"VBA/Module1": macros(b"\x00e VB_Nam")}, "macros-copies": {"VBA/Module1": macros(COPIES)}, "macros-stored": {"VBA/Module1": macros(stored=True)},
    "macros-far": {"VBA/Module1": macros(b"\xff\xff\xff\xff")}, "macros-cut": {"VBA/Module1": macros(b"\x01", damage=b"\x05")}, "macros-other": {"M": bytes(200) + b"\x02ab\0Attribut e"},
    "macros-long": {"VBA/M": macros(b"\x00" + b"abcdefgh", *([b"\x00" + b"abcdefgh"] * 40), b"\x03" + struct.pack("<HH", 0x0fff, 0x7fff))}, "macros-early": {"M": b"\0Attribut"},
    "hangul": {"FileHeader": HWP + struct.pack("<I", 1), "BodyText/Section0": raw_deflate(TEXT), "BinData/BIN0001.OLE": raw_deflate(b"1234" + bytes.fromhex("d0cf11e0a1b11ae1") + TEXT)},
    "hangul-cut": {"FileHeader": HWP + struct.pack("<I", 1), "BodyText/Section0": raw_deflate(TEXT)[:-9], "Other": b"no deflate, this, is text"},
    "hangul-password": {"FileHeader": HWP + struct.pack("<I", 3), "BodyText/Section0": TEXT}, "hangul-plain": {"FileHeader": HWP + struct.pack("<I", 0), "S": TEXT},
    "hangul-other": {"FileHeader": b"HWP Other".ljust(40), "S": TEXT}, "hangul-short": {"FileHeader": HWP, "S": TEXT},
    "msg-rtf": {"__substg1.0_10090102": rtf_packed(LZFU)}, "msg-rtf-nothing": {"__substg1.0_10090102": b"x" * 20}, "msg-rtf-plain": {"__substg1.0_10090102": rtf_packed(TEXT, 0x414c454d)},
    "msg-names": {"__attach_version1.0_#00000000/__substg1.0_37010102": TEXT, "__attach_version1.0_#00000000/__substg1.0_3704001E": b"short.txt",
                  "__attach_version1.0_#00000001/__substg1.0_37010102": TEXT, "__attach_version1.0_#00000001/__substg1.0_3707001E": b"long name.txt"},
    "package": {"\x01Ole10Native": documents.ole_package("a.txt", TEXT)}, "package-cut": {"\x01Ole10Native": documents.ole_package("a.txt", TEXT)[:-20]},
    "package-no-label": {"\x01Ole10Native": documents.ole_package("", TEXT)}, "package-other": {"\x01Ole10Native": b"\0\0\0\0\x03\0" + TEXT},
    "package-no-path": {"\x01Ole10Native": b"\0\0\0\0\x02\0label"}, "package-path": {"\x01Ole10Native": b"\0\0\0\0\x02\0l\0p\0\0\0\3\0\xff\xff\0\0"},
    "package-no-size": {"\x01Ole10Native": b"\0\0\0\0\x02\0l\0p\0\0\0\3\0\1\0\0\0x"}, "encryption-other": {"EncryptionInfo": ENCRYPTED_INFO + bytes(200), "EncryptedPackage": TEXT},
    "encryption-short": {"EncryptionInfo": b"\4\0", "EncryptedPackage": TEXT}, "encryption-agile": {"EncryptionInfo": struct.pack("<HHI", 4, 4, 64) + b"<keyData saltSize=\"1", "EncryptedPackage": TEXT},
    "book-short": {"Workbook": struct.pack("<HHHHHH", 0x809, 0, 0x2f, 4, 1, 1)}, "book-cut": {"Workbook": struct.pack("<HHH", 0x2f, 60, 1)}, "book-records": {"Workbook": struct.pack("<HH", 0x809, 0) * 9},
    "word-table-short": {"WordDocument": struct.pack("<HHHHHH", 0xa5ec, 1, 0, 0, 0, 0x300), "1Table": b"\1\0\1\0"},
    "word-table-other": {"WordDocument": struct.pack("<HHHHHH", 0xa5ec, 1, 0, 0, 0, 0x300), "1Table": struct.pack("<HHII", 2, 2, 0, 32) + bytes(100)},
}.items():
    seed("OLE2", name)(lambda streams=streams: documents.compound(streams))
    for limit, values in {"total": {"total": 3}, "total-more": {"total": 8}, "memory": {"memory": 2}}.items():
        seed("OLE2", f"{name}-{limit}")(lambda streams=streams, values=values: conditions(documents.compound(streams), **values))


# ---------------------------------------------------------------- texts of many lines

seed("UUE", "far")(lambda: pieces(bytes(200 * 512) + b"\nbegin 644 a.txt\n" + b"#86)C\n" * 9 + b"`\nend\n"))
seed("UUE", "far-checks")(lambda: pieces(bytes(200 * 512) + b"\nbegin 644 a.txt\n" + b"#86)C\n" * 9 + b"`\nend\n", checks=2))
seed("UUE", "long")(lambda: pieces((b"text of a line\n" * 9000) + b"begin 644 a.txt\n" + b"#86)C\n" * 9 + b"`\nend\n"))
