"""Makes messages that look like real mail, always the same ones."""

import base64
import io
import os
import quopri
import random
import zipfile
import zlib

WORDS = """about account address after agenda all also and answer any are as at attached be because been before best
both but by call can change come could customer date day delivery did do document down draft each early enclosed even
every file find first five for friday from get give go good had has have he her here him his hour how if in invoice is
it its just kind know last later let like line list look made make many may me meeting monday month more morning most
much must my need new next no not note now number of offer office on one only open or order other our out over page
part payment people plan please price project question quote reach read regards report right same say schedule see send
she should so some soon still such take team than thank that the their them then there these they this those time to
today tomorrow two under until up update use very want was way we week well were what when where which while who will
with work would write year yes you your""".split()


class Author:
    """Writes text, markup and files from one seed."""

    def __init__(self, seed):
        self.random = random.Random(f"esets bench {seed}")

    def sentence(self, least=5, most=18):
        words = [self.random.choice(WORDS) for _ in range(self.random.randint(least, most))]
        return " ".join(words).capitalize() + "."

    def text(self, size):
        parts, length = [], 0
        while length < size:
            part = self.sentence() + ("\n" if self.random.random() < 0.25 else " ")
            parts.append(part)
            length += len(part)
        return "".join(parts)[:size]

    def html(self, size):
        parts = ["<html><head><style>td{padding:2px}</style></head><body>\n"]
        length = 80
        while length < size:
            kind = self.random.randrange(8)
            if kind < 5:
                part = f'<p style="color:#{self.random.getrandbits(24):06x}">{self.sentence()}</p>\n'
            elif kind < 7:
                part = (f'<a href="https://www{self.random.randrange(99)}.example.net/'
                        f'{self.random.getrandbits(40):x}?u={self.random.randrange(9999)}">{self.sentence(2, 4)}</a>\n')
            else:
                part = f"<table><tr><td>{self.sentence(2, 5)}</td><td>{self.random.randrange(9999)}</td></tr></table>\n"
            parts.append(part)
            length += len(part)
        return "".join(parts)[:size - 16] + "\n</body></html>\n"

    # Files; each takes the size that it should about have.

    def archive(self, size):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            def add(name, content):
                file.writestr(zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10)), content, zipfile.ZIP_DEFLATED)
            add("readme.txt", self.text(size // 2))
            add("picture.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + self.random.randbytes(size // 3))
            add("table.csv", self.text(size))
        return out.getvalue()

    def office(self, size):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            def add(name, content):
                file.writestr(zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10)), content, zipfile.ZIP_DEFLATED)
            add("[Content_Types].xml", '<?xml version="1.0"?><Types/>')
            add("word/document.xml", "<w:document>" + "".join(
                f"<w:p><w:r><w:t>{self.sentence()}</w:t></w:r></w:p>" for _ in range(size // 60)) + "</w:document>")
            add("word/media/image1.png", self.picture(size // 2))
        return out.getvalue()

    def pdf(self, size):
        parts, length, number = [b"%PDF-1.5\n"], 9, 1
        while length < size:
            packed = zlib.compress(self.text(6000).encode())
            part = b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream\nendobj\n" % (
                number, len(packed), packed)
            parts.append(part)
            length += len(part)
            number += 1
        return b"".join(parts) + b"trailer <</Root 1 0 R>>\n%%EOF\n"

    def picture(self, size):
        return b"\x89PNG\r\n\x1a\n" + self.random.randbytes(max(0, size - 8))

    def message(self, size, kind):
        """A whole message with LF line ends, of about `size` bytes."""
        outer = f"=_{self.random.getrandbits(80):020x}"
        inner = f"=_alt{self.random.getrandbits(80):020x}"
        head = "\n".join([
            f"Received: from mx{self.random.randrange(9)}.example.net (mx.example.net [192.0.2.{self.random.randrange(250)}])",
            f"\tby mail.example.com with ESMTPS id {self.random.getrandbits(48):x}; Mon, 6 May 2024 07:08:09 +0000",
            f'From: "{self.random.choice(WORDS).title()}" <user{self.random.randrange(999)}@example.org>',
            f"To: rcpt{self.random.randrange(999)}@example.com",
            f"Subject: {self.sentence(3, 7)}",
            "Date: Mon, 6 May 2024 07:08:09 +0000",
            f"Message-ID: <{self.random.getrandbits(64):016x}@example.org>",
            "MIME-Version: 1.0", ""])
        room = size - len(head) - 120
        if kind == "text":
            return head + "Content-Type: text/plain; charset=utf-8\n\n" + self.text(room) + "\n"
        share = room if kind == "html" else min(room, 6000)
        plain = quopri.encodestring(self.text(share // 3).encode()).decode()
        markup = quopri.encodestring(self.html(max(100, share - len(plain) - 500)).encode()).decode()
        alternative = (
            f'Content-Type: multipart/alternative; boundary="{inner}"\n\n'
            f"--{inner}\nContent-Type: text/plain; charset=utf-8\n"
            f"Content-Transfer-Encoding: quoted-printable\n\n{plain}\n"
            f"--{inner}\nContent-Type: text/html; charset=utf-8\n"
            f"Content-Transfer-Encoding: quoted-printable\n\n{markup}\n--{inner}--\n")
        if kind == "html":
            return head + alternative
        make, name, mime = {
            "archive": (self.archive, "files.zip", "application/zip"),
            "office": (self.office, "report.docx",
                       "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            "pdf": (self.pdf, "invoice.pdf", "application/pdf"),
            "picture": (self.picture, "photo.png", "image/png"),
        }[kind]
        room = int((room - len(alternative) - 300) / 1.352)
        content, wanted = make(room), room
        for _ in range(4):
            wanted = max(200, int(wanted * room / len(content)))
            content = make(wanted)
        return (
            head + f'Content-Type: multipart/mixed; boundary="{outer}"\n\nThis is a message in MIME format.\n'
            f"--{outer}\n{alternative}--{outer}\nContent-Type: {mime}; name=\"{name}\"\n"
            f"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"{name}\"\n\n"
            + base64.encodebytes(content).decode() + f"--{outer}--\n")


# Short mail is text; long mail is long because of what is attached.
SHORT = ["text", "html", "html", "text", "html", "html", "text", "html"]
LONG = ["archive", "pdf", "picture", "office", "html", "pdf", "archive", "picture"]


def write(directory, kilobytes):
    """Writes a handful of different messages of about this size; returns their paths."""
    paths = []
    for number, kind in enumerate(SHORT if kilobytes < 20 else LONG):
        path = os.path.join(directory, f"{kilobytes}k-{number}.eml")
        with open(path, "w", newline="\n") as file:
            file.write(Author(f"{kilobytes} {number}").message(kilobytes * 1000, kind))
        paths.append(path)
    return paths
