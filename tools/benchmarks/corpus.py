"""Makes the objects that the engines scan, the same ones from the same arguments: mail, programs, archives.

  python3 corpus.py DIRECTORY [--mails N] [--programs MB] [--seed TEXT]

  mail/      messages as they arrive: text, HTML, both, with attachments (documents, archives, pictures, programs)
  programs/  ELF files of this system (so they differ between systems), and PE files made of their code and data
  archives/  ZIP files (packed, stored, nested, of many small files), tar, tar.gz
"""

import argparse
import base64
import gzip
import hashlib
import io
import os
import quopri
import random
import struct
import sys
import tarfile
import zipfile
import zlib

VOCABULARY = (
    "the be to of and a in that have it for not on with he as you do at this but his by from they we say her she or an "
    "will my one all would there their what so up out if about who get which go me when make can like time no just him "
    "know take people into year your good some could them see other than then now look only come its over think also "
    "back after use two how our work first well way even new want because any these give day most us invoice order "
    "delivery meeting report project contract offer account customer attached regards thank question answer schedule"
).split()
DATE = (2024, 2, 3, 4, 5, 6)


def sentence(dice, least=6, most=24):
    return " ".join(dice.choices(VOCABULARY, k=dice.randrange(least, most))).capitalize() + "."


def text(dice, size):
    parts, length = [], 0
    while length < size:
        parts.append(sentence(dice) + ("\n" if dice.random() < 0.3 else " "))
        length += len(parts[-1])
    return "".join(parts)[:size]


def html(dice, size):
    parts = [f"<!DOCTYPE html><html><head><title>{sentence(dice)}</title><style>td{{margin:0}}</style></head><body>"]
    length = 0
    while length < size:
        share = dice.random()
        if share < 0.6:
            part = f'<p style="color:#{dice.getrandbits(24):06x}">{sentence(dice, 8, 40)}</p>\n'
        elif share < 0.8:
            part = f"<table><tr><td>{sentence(dice, 3, 6)}</td><td>{dice.randrange(10000)}</td></tr></table>\n"
        elif share < 0.95:
            part = f'<a href="https://www{dice.randrange(500)}.example.org/{dice.getrandbits(32):x}">{sentence(dice, 3, 5)}</a>\n'
        else:
            part = f'<script>var v{dice.randrange(99)}="{dice.getrandbits(64):x}";</script>\n'
        parts.append(part)
        length += len(part)
    return "".join(parts) + "</body></html>\n"


def mixture(dice, size):
    """Zeros, text and noise, as in the data of programs and pictures."""
    parts, length = [], 0
    while length < size:
        share = dice.random()
        if share < 0.3:
            part = bytes(dice.randrange(16, 400))
        elif share < 0.6:
            part = text(dice, dice.randrange(40, 400)).encode()
        else:
            part = dice.randbytes(dice.randrange(100, 2000))
        parts.append(part)
        length += len(part)
    return b"".join(parts)[:size]


def zipped(files, method=zipfile.ZIP_DEFLATED):
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", method) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = method
            archive.writestr(entry, content)
    return result.getvalue()


def document(dice, size):
    """A word processor's file: XML in a ZIP file."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{sentence(dice)}</w:t></w:r></w:p>" for _ in range(max(1, size // 60)))
    head = '<?xml version="1.0"?>'
    return zipped([
        ("[Content_Types].xml", head + '<Types><Default Extension="xml" ContentType="application/xml"/></Types>'),
        ("_rels/.rels", head + "<Relationships/>"),
        ("word/document.xml", f"{head}<w:document><w:body>{paragraphs}</w:body></w:document>")])


def portable_document(dice, size):
    parts, length, number = [b"%PDF-1.5\n"], 0, 1
    while length < size:
        stream = zlib.compress(text(dice, 4000).encode())
        parts.append(b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream\nendobj\n" % (
            number, len(stream), stream))
        length += len(parts[-1])
        number += 1
    return b"".join(parts) + b"trailer\n<</Root 1 0 R>>\n%%EOF\n"


def attachment(dice):
    """(media type, name, content)"""
    size = int(10 ** dice.uniform(3.3, 5.4))
    share = dice.random()
    if share < 0.25:
        return "application/zip", "files.zip", zipped(
            [(f"file{index}.txt", text(dice, size // 2)) for index in range(3)] + [("data.bin", mixture(dice, size // 2))])
    if share < 0.45:
        return ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "letter.docx",
                document(dice, size))
    if share < 0.65:
        return "application/pdf", "invoice.pdf", portable_document(dice, size)
    if share < 0.85:
        return "image/png", "picture.png", b"\x89PNG\r\n\x1a\n" + dice.randbytes(size)
    if share < 0.93:
        inner = zipped([("inside.html", html(dice, size)), ("setup.bin", mixture(dice, size))])
        return "application/zip", "nested.zip", zipped([("inner.zip", inner), ("note.txt", text(dice, 500))])
    return "application/gzip", "log.gz", gzip.compress(text(dice, size * 2).encode(), mtime=0)


def message(seed, number):
    dice = random.Random(f"{seed}|mail|{number}")

    def armoured(content):
        return base64.encodebytes(content).decode()

    head = (
        f"Return-Path: <sender{dice.randrange(999)}@example.org>\n"
        f"Received: from relay{dice.randrange(9)}.example.net ([192.0.2.{dice.randrange(255)}]) by mx.example.com with ESMTP "
        f"id {dice.getrandbits(40):x}; Sat, 03 Feb 2024 04:05:06 +0000\n"
        f"From: {dice.choice(VOCABULARY).title()} <sender{dice.randrange(999)}@example.org>\n"
        f"To: recipient{dice.randrange(999)}@example.com\nSubject: {sentence(dice, 3, 8)}\n"
        f"Date: Sat, 03 Feb 2024 04:05:06 +0000\nMessage-ID: <{dice.getrandbits(64):x}.{number}@example.org>\n"
        "MIME-Version: 1.0\n")
    share = dice.random()
    if share < 0.25:
        return head + "Content-Type: text/plain; charset=utf-8\n\n" + text(dice, int(10 ** dice.uniform(2.5, 4))) + "\n"
    inner, outer = f"=_i{dice.getrandbits(64):x}", f"=_o{dice.getrandbits(64):x}"
    page = html(dice, int(10 ** dice.uniform(3, 4.7))).encode()
    encoding, encoded = ("base64", armoured(page)) if share < 0.5 else (
        "quoted-printable", quopri.encodestring(page).decode())
    plain = quopri.encodestring(text(dice, dice.randrange(200, 3000)).encode()).decode()
    alternative = (
        f"--{inner}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n{plain}\n"
        f"--{inner}\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{encoded}\n"
        f"--{inner}--\n")
    if share < 0.5:
        return f'{head}Content-Type: multipart/alternative; boundary="{inner}"\n\n{alternative}'
    parts = [
        f'{head}Content-Type: multipart/mixed; boundary="{outer}"\n\nThis is a multi-part message.\n--{outer}\n'
        f'Content-Type: multipart/alternative; boundary="{inner}"\n\n{alternative}\n']
    for _ in range(1 if dice.random() < 0.8 else 3):
        kind, name, content = attachment(dice)
        parts.append(
            f'--{outer}\nContent-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="{name}"\n\n{armoured(content)}')
    return "".join(parts) + f"--{outer}--\n"


def sections(elf):
    """(name, content) of the sections of a 64-bit little-endian ELF file."""
    table, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    rows = [struct.unpack_from("<IIQQQQ", elf, table + size * index) for index in range(count)]
    text_at = rows[names][4] if names < count else 0
    for name, kind, _, _, offset, length in rows:
        end = elf.find(b"\0", text_at + name)
        if kind == 1:  # SHT_PROGBITS
            yield elf[text_at + name:end].decode("latin-1"), elf[offset:offset + length]


def portable_executable(parts):
    """A PE32+ file whose sections hold these contents: [(name, characteristics, content)]."""
    aligned = [(name, flags, content + bytes(-len(content) % 512)) for name, flags, content in parts]
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(aligned), 1_700_000_000, 0, 0, 240, 0x22)
    image, rows, raw = 0x1000, b"", 512
    for name, flags, content in aligned:
        rows += struct.pack("<8sIIIIIIHHI", name.encode(), len(content), image, len(content), raw, 0, 0, 0, 0, flags)
        image += (len(content) + 0xfff) & ~0xfff
        raw += len(content)
    optional = struct.pack("<HBBIIIII", 0x20b, 14, 0, len(aligned[0][2]), 0, 0, 0x1000, 0x1000)
    optional += struct.pack("<QIIHHHHHHIIIIHHQQQQII", 0x140000000, 0x1000, 512, 6, 0, 0, 0, 6, 0, 0, image, 512, 0, 3, 0,
                            1 << 20, 4096, 1 << 20, 4096, 0, 16)
    head += optional + bytes(240 - len(optional)) + rows
    return head + bytes(512 - len(head)) + b"".join(content for _, _, content in aligned)


def make_programs(directory, megabytes):
    """Half the bytes are ELF files, half are PE files of what lies in them."""
    total, number = 0, 0
    for name in sorted(os.listdir("/usr/bin")):
        path = os.path.join("/usr/bin", name)
        if os.path.islink(path) or not os.path.isfile(path) or not 4096 < os.path.getsize(path) < 8 << 20:
            continue
        with open(path, "rb") as file:
            content = file.read()
        if content[:6] != b"\x7fELF\x02\x01":
            continue
        number += 1
        if number % 2:
            kinds = {".text": 0x60000020, ".rodata": 0x40000040, ".data": 0xc0000040}
            parts = [(section, kinds[section], data) for section, data in sections(content) if section in kinds]
            if not parts or parts[0][0] != ".text":
                continue
            name, content = name + ".exe", portable_executable(parts)
        write(directory, name, content)
        total += len(content)
        if total >= megabytes << 20:
            return


def make_archives(directory, seed):
    dice = random.Random(f"{seed}|archives")
    files = []
    for number in range(600):
        content = [text(dice, 60_000).encode(), mixture(dice, 90_000), html(dice, 50_000).encode()][number % 3]
        files.append((f"folder{number % 20}/file{number}.{('txt', 'bin', 'html')[number % 3]}", content))
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    nested = zipped(files[:60])
    for level in range(6):
        nested = zipped([(f"level{level}.zip", nested), (f"note{level}.txt", text(dice, 20_000))])
    for name, content in {
            "packed.zip": zipped(files), "stored.zip": zipped(files, zipfile.ZIP_STORED), "nested.zip": nested,
            "small.zip": zipped([(f"small/{number}.txt", text(dice, 400)) for number in range(4000)]),
            "files.tar": tape.getvalue(), "files.tar.gz": gzip.compress(tape.getvalue(), 6, mtime=0)}.items():
        write(directory, name, content)


def write(directory, name, content):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(content)


def make(directory, mails=1000, programs=60, seed="1"):
    """Makes all three, those that are not there yet."""
    for name, fill in [
            ("mail", lambda path: [write(path, f"{number:05}.eml", message(seed, number).encode())
                                   for number in range(mails)]),
            ("programs", lambda path: make_programs(path, programs)),
            ("archives", lambda path: make_archives(path, seed))]:
        path = os.path.join(directory, name)
        if not os.path.isdir(path):
            os.makedirs(path + ".new", exist_ok=True)
            fill(path + ".new")
            os.rename(path + ".new", path)


def digest(directory):
    """(files, bytes, SHA-256 of all in order of their names): says whether two corpora are the same."""
    total, hasher, names = 0, hashlib.sha256(), sorted(os.listdir(directory))
    for name in names:
        with open(os.path.join(directory, name), "rb") as file:
            content = file.read()
        hasher.update(content)
        total += len(content)
    return len(names), total, hasher.hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes the objects that the engines scan.")
    parser.add_argument("directory")
    parser.add_argument("--mails", type=int, default=1000)
    parser.add_argument("--programs", type=int, default=60, help="megabytes")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    make(options.directory, options.mails, options.programs, options.seed)
    for part in sorted(os.listdir(options.directory)):
        print(part, *digest(os.path.join(options.directory, part)))
    sys.exit(0)
