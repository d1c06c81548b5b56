"""Documents, pages and other files that carry files."""

import base64
import io
import lzma
import os
import struct
import zipfile
import zlib

from archives import FORMATS, format
from tool import Folder


def compound(streams):
    """An OLE2 compound file: {path: bytes}, storages by "/" in the path."""
    free, end, fat_mark = 0xffffffff, 0xfffffffe, 0xfffffffd
    entries = [{"name": "Root Entry", "type": 5, "data": b"", "children": []}]
    index = {"": 0}
    for path, data in streams.items():
        parts = path.split("/")
        for depth in range(len(parts)):
            here = "/".join(parts[:depth + 1])
            if here not in index:
                index[here] = len(entries)
                last = depth == len(parts) - 1
                entries.append({"name": parts[depth], "type": 2 if last else 1, "data": data if last else b"",
                                "children": []})
                entries[index["/".join(parts[:depth])]]["children"].append(index[here])
    # All streams of 4,096 bytes or more: shorter ones are in the mini stream.
    mini, mini_fat, fat, sectors = bytearray(), [], [], []

    def chain(table, count):
        first = len(table)
        table.extend(range(first + 1, first + count))
        if count:
            table.append(end)
        return first if count else end

    for entry in entries:
        if entry["type"] == 2 and len(entry["data"]) < 4096:
            count = (len(entry["data"]) + 63) // 64
            entry["start"] = chain(mini_fat, count)
            mini += entry["data"] + bytes(count * 64 - len(entry["data"]))

    def store(data):
        count = (len(data) + 511) // 512
        first = chain(fat, count)
        padded = data + bytes(count * 512 - len(data))
        sectors.extend(padded[at:at + 512] for at in range(0, len(padded), 512))
        return first

    for entry in entries:
        if entry["type"] == 2 and len(entry["data"]) >= 4096:
            entry["start"] = store(entry["data"])
    entries[0]["start"], entries[0]["data"] = store(bytes(mini)), bytes(mini)
    table = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    table += b"\xff" * (-len(table) % 512)
    mini_start = store(table) if mini_fat else end

    links = {}

    def tree(children):
        children = sorted(children, key=lambda i: (len(entries[i]["name"]), entries[i]["name"].upper()))
        if not children:
            return free
        middle = len(children) // 2
        links[children[middle]] = (tree(children[:middle]), tree(children[middle + 1:]))
        return children[middle]

    directory = b""
    tops = [tree(entry["children"]) for entry in entries]
    for number, entry in enumerate(entries):
        name = entry["name"].encode("utf-16-le") + b"\0\0"
        left, right = links.get(number, (free, free))
        directory += (name.ljust(64, b"\0") + struct.pack("<HBBIII", len(name), entry["type"], 1, left, right, tops[number])
                      + bytes(36) + struct.pack("<IQ", entry.get("start", 0), len(entry["data"])))
    directory += (bytes(66) + struct.pack("<BBIII", 0, 0, free, free, free) + bytes(48)) * (-(len(directory) // 128) % 4)
    directory_start = store(directory)
    fat_count = 1
    while fat_count * 128 < len(fat) + fat_count:
        fat_count += 1
    places = list(range(len(fat), len(fat) + fat_count))
    fat.extend([fat_mark] * fat_count)
    fat.extend([free] * (fat_count * 128 - len(fat)))
    packed = struct.pack(f"<{len(fat)}I", *fat)
    sectors.extend(packed[at:at + 512] for at in range(0, len(packed), 512))
    head = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3e, 3, 0xfffe, 9, 6) + bytes(6)
            + struct.pack("<IIIIIIIII", 0, fat_count, directory_start, 0, 4096, mini_start, (len(table) // 512) if mini_fat else 0,
                          end, 0))
    if fat_count > 109:
        raise ValueError("too large for this writer")
    head += struct.pack("<109I", *(places + [free] * (109 - fat_count)))
    return head + b"".join(sectors)


def ole_package(name, data):
    """OLE1 native data as "Package" objects have it."""
    body = (struct.pack("<H", 2) + name.encode() + b"\0" + b"C:\\" + name.encode() + b"\0" + struct.pack("<HH", 0, 3)
            + struct.pack("<I", len(name) + 4) + b"C:\\" + name.encode() + b"\0" + struct.pack("<I", len(data)) + data)
    return struct.pack("<I", len(body)) + body


FORMATS["ole-stream"] = ("doc", lambda name, data: compound({"WordDocument": b"x" * 5000, "Data": data}))
FORMATS["ole-package"] = ("doc", lambda name, data: compound(
    {"WordDocument": b"x" * 5000, "ObjectPool/_1/\x01Ole10Native": ole_package(name, data)}))
FORMATS["msg"] = ("msg", lambda name, data: compound({
    "__properties_version1.0": bytes(32), "__substg1.0_001A001F": "IPM.Note".encode("utf-16-le"),
    "__attach_version1.0_#00000000/__properties_version1.0": bytes(8),
    "__attach_version1.0_#00000000/__substg1.0_3707001F": name.encode("utf-16-le"),
    "__attach_version1.0_#00000000/__substg1.0_37010102": data}))


def office(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/'
                         'package/2006/content-types"><Default Extension="bin" ContentType="application/vnd.openxmlformats'
                         '-officedocument.oleObject"/></Types>')
        archive.writestr("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/'
                         'package/2006/relationships"/>')
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


FORMATS["docx-media"] = ("docx", lambda name, data: office({"word/document.xml": "<w/>", "word/embeddings/" + name: data}))
FORMATS["docx-ole"] = ("docx", lambda name, data: office(
    {"word/document.xml": "<w/>", "word/embeddings/oleObject1.bin": compound({"\x01Ole10Native": ole_package(name, data)})}))
FORMATS["flat-opc"] = ("xml", lambda name, data: (
    b'<?xml version="1.0" standalone="yes"?>\n<?mso-application progid="Word.Document"?>\n<pkg:package xmlns:pkg="http://'
    b'schemas.microsoft.com/office/2006/xmlPackage"><pkg:part pkg:name="/word/embeddings/' + name.encode()
    + b'" pkg:contentType="application/octet-stream"><pkg:binaryData>' + base64.encodebytes(data)
    + b"</pkg:binaryData></pkg:part></pkg:package>"))


def rtf_object(name, data):
    native = ole_package(name, data)[4:]
    return (struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(native)) + native)


FORMATS["rtf"] = ("rtf", lambda name, data: (
    b"{\\rtf1\\ansi{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata "
    + rtf_object(name, data).hex().encode() + b"}}}"))


@format("rtf-obfuscated", "rtf")
def rtf_obfuscated(name, data):
    text = rtf_object(name, data).hex().encode()
    odd = b"".join(bytes([c]) + (b"\r\n\t" if i % 5 == 4 else b"{\\*\\x}" if i % 11 == 10 else b"")
                   for i, c in enumerate(text))
    return b"{\\rt{\\object\\objupdate\\objemb{\\*\\objdata{\\abcdef}" + odd + b"}}}"


@format("pdf-attachment", "pdf")
def pdf_attachment(name, data):
    with Folder(name, data) as folder:
        folder.write("empty.pdf", simple_pdf([]))
        folder.run("qpdf", "empty.pdf", "--add-attachment", name, "--", "out.pdf")
        return folder.read("out.pdf")


@format("pdf-object-streams", "pdf")
def pdf_object_streams(name, data):
    with Folder(name, data) as folder:
        folder.write("empty.pdf", simple_pdf([]))
        folder.run("qpdf", "--object-streams=generate", "empty.pdf", "--add-attachment", name, "--", "out.pdf")
        return folder.read("out.pdf")


@format("pdf-encrypted-empty", "pdf")
def pdf_encrypted(name, data):
    with Folder(name, data) as folder:
        folder.write("empty.pdf", simple_pdf([]))
        folder.run("qpdf", "--encrypt", "", "owner", "256", "--", "empty.pdf", "--add-attachment", name, "--", "out.pdf")
        return folder.read("out.pdf")


def simple_pdf(more):
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] + more
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def pdf_filter(filters, encode):
    def make(name, data):
        text = encode(data)
        return simple_pdf([b"<</Type/EmbeddedFile/Filter%s/Length %d>>\nstream\n" % (filters, len(text)) + text
                           + b"\nendstream"])
    return make


FORMATS["pdf-flate"] = ("pdf", pdf_filter(b"/FlateDecode", zlib.compress))
FORMATS["pdf-hex"] = ("pdf", pdf_filter(b"/ASCIIHexDecode", lambda data: data.hex().encode() + b">"))
FORMATS["pdf-85"] = ("pdf", pdf_filter(b"/ASCII85Decode", lambda data: base64.a85encode(data) + b"~>"))
FORMATS["pdf-85-flate"] = ("pdf", pdf_filter(
    b"[/ASCII85Decode/FlateDecode]", lambda data: base64.a85encode(zlib.compress(data)) + b"~>"))
FORMATS["pdf-run-length"] = ("pdf", pdf_filter(b"/RunLengthDecode", lambda data: b"".join(
    bytes([len(data[at:at + 128]) - 1]) + data[at:at + 128] for at in range(0, len(data), 128)) + b"\x80"))

FORMATS["pdf-javascript"] = ("pdf", lambda name, data: simple_pdf([
    b"<</S/JavaScript/JS 5 0 R>>", b"<</Filter/FlateDecode/Length %d>>\nstream\n" % len(zlib.compress(data)) + zlib.compress(data) + b"\nendstream"]))
FORMATS["xdp"] = ("xdp", lambda name, data: (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><pdf xmlns="http://ns.adobe.com/xdp/pdf/">'
    b"<document><chunk>" + base64.encodebytes(data) + b"</chunk></document></pdf></xdp:xdp>"))
def active_mime(name, data):
    """As Office writes it: the packed data begins at 50."""
    head = b"ActiveMime\0\0\1\xf0\4\0\0\0\xff\xff\xff\xff\0\0\7\xf0" + struct.pack("<IHH", 0x04000000, 4, 0)
    return head.ljust(46, b"\0") + struct.pack("<I", len(data)) + zlib.compress(data)


FORMATS["activemime"] = ("mso", active_mime)
FORMATS["word-xml-2003"] = ("xml", lambda name, data: (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Word.Document"?>\n<w:wordDocument xmlns:w="http://schemas.'
    b'microsoft.com/office/word/2003/wordml" w:macrosPresent="yes"><w:docSuppData><w:binData w:name="editdata.mso">'
    + base64.encodebytes(active_mime(name, compound({"VBA/Module1": data}))) + b"</w:binData></w:docSuppData></w:wordDocument>"))
FORMATS["hwpml"] = ("hml", lambda name, data: (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<HWPML Version="2.8"><TAIL><BINDATASTORAGE><BINDATA Encoding="Base64" Id="1" Size="%d">' % len(data)
    + base64.encodebytes(data) + b"</BINDATA></BINDATASTORAGE></TAIL></HWPML>"))
FORMATS["powershell-base64"] = ("ps1", lambda name, data: (
    b'$path = "$env:TEMP\\' + name.encode() + b'"\r\n[IO.File]::WriteAllBytes($path, [Convert]::FromBase64String("' + base64.b64encode(data)
    + b'"))\r\nStart-Process $path\r\n'))


FORMATS["html-smuggling"] = ("html", lambda name, data: (
    b"<html><body><script>\nvar text = atob('" + base64.b64encode(data) + b"');\nvar bytes = new Uint8Array(text.length);\n"
    b"for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);\nvar a = document.createElement('a');\n"
    b"a.href = URL.createObjectURL(new Blob([bytes]));\na.download = '" + name.encode() + b"';\na.click();\n</script></body></html>\n"))
FORMATS["html-data-uri"] = ("html", lambda name, data: (
    b"<html><body><a href=\"data:application/octet-stream;base64," + base64.b64encode(data)
    + b"\" download=\"" + name.encode() + b"\">open</a></body></html>"))
FORMATS["svg-data-uri"] = ("svg", lambda name, data: (
    b"<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"data:application/octet-stream;base64,"
    + base64.b64encode(data) + b"\"/></svg>"))
FORMATS["mht"] = ("mht", lambda name, data: (
    b"From: <saved>\r\nSubject: page\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"p\"\r\n\r\n--p\r\n"
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Location: file:///x\r\n\r\n"
    + base64.encodebytes(data).replace(b"\n", b"\r\n") + b"\r\n--p--\r\n"))


@format("onenote", "one")
def onenote(name, data):
    """A section file's identity and one FileDataStoreObject."""
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(1008)
    return (head + bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac") + struct.pack("<QIQ", len(data), 0, 0) + data
            + bytes(-len(data) % 8) + bytes.fromhex("22a7fb71790f0b4abb13899256426b24"))


@format("onenote-web", "one")
def onenote_web(name, data):
    """A section as OneNote on the web exports it (MS-ONESTORE 2.8): a data element with the file as its BLOB."""
    def compact(value):
        size = max(1, (value.bit_length() + 6) // 7)
        return (value << size | 1 << size - 1).to_bytes(size, "little")
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(32) + bytes.fromhex("2fe98d63d4a6c14b9a36b3fc2511a5b7")
    content = compact(len(data)) + data
    if len(content) < 128:
        blob = struct.pack("<H", 0x10 | len(content) << 9)
    else:
        blob = struct.pack("<I", 0x12 | min(len(content), 0x7fff) << 17) + (
            compact(len(content)) if len(content) >= 0x7fff else b"")
    return head + bytes(8) + b"\x0c\x56" + bytes(40) + b"\x15" + blob + content + b"\x05"


@format("pe-overlay", "exe")
def pe_overlay(name, data):
    stub = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, 1, 0, 0, 0, 224, 0x102)
    stub += struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10b, 6, 0, 512, 0, 0, 0x1000, 0x1000, 0x2000, 0x400000,
                        0x1000, 0x200, 4, 0, 0, 0, 4, 0, 0, 0x2000, 0x200, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0,
                        16) + bytes(128)
    stub += struct.pack("<8sIIIIIIHHI", b".text", 512, 0x1000, 512, 512, 0, 0, 0, 0, 0x60000020)
    return stub.ljust(512, b"\0") + b"\xc3" * 512 + data


@format("lnk-appended", "lnk")
def lnk_appended(name, data):
    return (struct.pack("<I", 0x4c) + bytes.fromhex("0114020000000000c000000000000046") + struct.pack("<I", 0)
            + bytes(52) + struct.pack("<I", 0) + data)


def flash(*tags):
    """A movie: an empty rectangle, 24 frames a second, one frame, and tags."""
    body = b"\x08\0" + struct.pack("<HH", 24 << 8, 1)
    for number, content in (*tags, (0, b"")):
        body += struct.pack("<HI", number << 6 | 0x3f, len(content)) + content if number else b"\0\0"
    return body


def flash_head(kind, body):
    return kind + b"WS\x0d" + struct.pack("<I", 8 + len(body))


FORMATS["swf"] = ("swf", lambda name, data: flash_head(b"F", flash((87, bytes(6) + data))) + flash((87, bytes(6) + data)))


@format("swf-zlib", "swf")
def flash_zlib(name, data):
    body = flash((87, bytes(6) + data))
    return flash_head(b"C", body) + zlib.compress(body)


@format("swf-lzma", "swf")
def flash_lzma(name, data):
    body = flash((87, bytes(6) + data))
    packed = lzma.compress(body, lzma.FORMAT_ALONE)
    return flash_head(b"Z", body) + struct.pack("<I", len(packed) - 13) + packed[:5] + packed[13:]
