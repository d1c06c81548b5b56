"""Mail, and what mail carries files in."""

import base64
import binascii
import os
import quopri
import struct

from archives import FORMATS, format
from tool import Folder

HEAD = (b"Received: from a.example by b.example; Sat, 21 Nov 2026 10:00:00 +0000\r\nFrom: a@example.com\r\n"
        b"To: b@example.com\r\nSubject: sample\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
        b"MIME-Version: 1.0\r\n")


def lines(data, width=76):
    text = base64.b64encode(data)
    return b"".join(text[at:at + width] + b"\r\n" for at in range(0, len(text), width))


def message(headers, body):
    return HEAD + headers + b"\r\n" + body


def mixed(part, boundary=b"=_b", declared=None, head=b""):
    return message(
        head + b"Content-Type: multipart/mixed; boundary=" + (declared or b'"' + boundary + b'"') + b"\r\n",
        b"preamble\r\n--" + boundary + b"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--" + boundary + b"\r\n" + part
        + b"\r\n--" + boundary + b"--\r\n")


def attachment(name, data, kind=b"application/octet-stream"):
    return (b"Content-Type: " + kind + b"; name=\"" + name.encode() + b"\"\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=\"" + name.encode() + b"\"\r\n\r\n" + lines(data))


FORMATS["mail-base64"] = ("eml", lambda name, data: mixed(attachment(name, data)))
FORMATS["mail-one-part"] = ("eml", lambda name, data: message(attachment(name, data).split(b"\r\n\r\n")[0] + b"\r\n", lines(data)))
FORMATS["mail-nested"] = ("eml", lambda name, data: mixed(
    b"Content-Type: message/rfc822\r\n\r\n" + mixed(attachment(name, data), b"=_inner")))
FORMATS["mail-alternative"] = ("eml", lambda name, data: mixed(
    b"Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\n" + attachment(name, data) + b"\r\n--in--\r\n"))
FORMATS["mail-no-end"] = ("eml", lambda name, data: mixed(attachment(name, data)).rsplit(b"\r\n--=_b--", 1)[0])
FORMATS["mail-boundary-2231"] = ("eml", lambda name, data: mixed(
    attachment(name, data), b"abcdef", b"x; boundary*0=abc; boundary*1=def"))
FORMATS["mail-two-boundaries"] = ("eml", lambda name, data: mixed(attachment(name, data), b"two", b"one; boundary=two"))
FORMATS["mail-signed"] = ("eml", lambda name, data: message(
    b"Content-Type: multipart/signed; boundary=s; protocol=\"application/pkcs7-signature\"; micalg=sha-256\r\n",
    b"--s\r\n" + attachment(name, data) + b"\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB\r\n--s--\r\n"))
FORMATS["mail-base64-junk"] = ("eml", lambda name, data: mixed(
    attachment(name, data).split(b"\r\n\r\n")[0] + b"\r\n\r\n" + b"".join(
        bytes([c]) + (b"!" if i % 7 == 3 else b"") + (b"\r\n" if i % 30 == 29 else b"")
        for i, c in enumerate(base64.b64encode(data).rstrip(b"="))) + b"\r\n"))
FORMATS["mail-8bit"] = ("eml", lambda name, data: mixed(
    b"Content-Type: application/octet-stream; name=\"" + name.encode() + b"\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + data))


@format("mail-quoted-printable", "eml")
def mail_quoted_printable(name, data):
    text = b"".join(b"=%02X" % c for c in data)
    text = b"=\r\n".join(text[at:at + 72] for at in range(0, len(text), 72))
    return mixed(b"Content-Type: application/octet-stream; name=\"" + name.encode()
                 + b"\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + text)


def uuencoded(name, data):
    out = b"begin 644 " + name.encode() + b"\r\n"
    for at in range(0, len(data), 45):
        out += binascii.b2a_uu(data[at:at + 45]).rstrip(b"\n") + b"\r\n"
    return out + b"`\r\nend\r\n"


FORMATS["mail-uuencode"] = ("eml", lambda name, data: message(
    b"Content-Type: text/plain\r\n", b"see below\r\n\r\n" + uuencoded(name, data)))


@format("mail-yenc", "eml")
def mail_yenc(name, data):
    body = bytearray()
    column = 0
    for byte in data:
        value = (byte + 42) & 255
        if value in (0, 10, 13, 61) or (value == 46 and column == 0):
            body += bytes([61, (value + 64) & 255])
            column += 2
        else:
            body.append(value)
            column += 1
        if column >= 128:
            body += b"\r\n"
            column = 0
    return message(b"Content-Type: text/plain\r\n", b"=ybegin line=128 size=%d name=%s\r\n" % (len(data), name.encode())
                   + bytes(body) + b"\r\n=yend size=%d crc32=%08x\r\n" % (len(data), binascii.crc32(data)))


def binhexed(name, data):
    """BinHex 4.0 (RFC 1741) without run-length compression but for its escape."""
    def checked(some):
        return some + struct.pack(">H", binascii.crc_hqx(some, 0))
    head = bytes([len(name)]) + name.encode() + b"\0" + b"BINA????" + struct.pack(">HII", 0, len(data), 0)
    raw = (checked(head) + checked(data) + struct.pack(">H", 0)).replace(b"\x90", b"\x90\0")
    alphabet = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    bits, count, text = 0, 0, bytearray(b":")
    for byte in raw:
        bits, count = bits << 8 | byte, count + 8
        while count >= 6:
            count -= 6
            text.append(alphabet[bits >> count & 63])
        bits &= (1 << count) - 1
    if count:
        text.append(alphabet[bits << (6 - count) & 63])
    text += b":"
    return (b"(This file must be converted with BinHex 4.0)\r\n\r\n"
            + b"".join(bytes(text[at:at + 64]) + b"\r\n" for at in range(0, len(text), 64)))


FORMATS["mail-binhex"] = ("eml", lambda name, data: message(
    b"Content-Type: application/mac-binhex40; name=\"a.hqx\"\r\n", binhexed(name, data)))
FORMATS["mbox"] = ("mbox", lambda name, data: b"From a@example.com Sat Nov 21 10:00:00 2026\n" + (
    mixed(attachment("x.txt", b"one")) + b"\r\nFrom b@example.com Sat Nov 21 10:00:00 2026\r\n"
    + mixed(attachment(name, data))).replace(b"\r\n", b"\n"))
FORMATS["mail-calendar"] = ("eml", lambda name, data: mixed(
    b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME="
    + name.encode() + b":" + base64.b64encode(data) + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
FORMATS["mail-vcard"] = ("eml", lambda name, data: mixed(
    b"Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nPHOTO;ENCODING=b;TYPE=JPEG:"
    + base64.b64encode(data) + b"\r\nEND:VCARD\r\n"))


FORMATS["uue"] = ("uue", uuencoded)
FORMATS["mail-brotli"] = ("eml", lambda name, data: mixed(attachment(name + ".br", FORMATS["brotli"][1](name, data))))


def apple(magic, *forks):
    """AppleSingle or AppleDouble (RFC 1740): the data fork is 1, the resource fork 2."""
    head, body = struct.pack(">II", magic, 0x20000) + bytes(16) + struct.pack(">H", len(forks)), b""
    for number, data in forks:
        head += struct.pack(">III", number, 26 + 12 * len(forks) + len(body), len(data))
        body += data
    return head + body


FORMATS["apple-single"] = ("bin", lambda name, data: apple(0x00051600, (1, data)))
FORMATS["mail-appledouble"] = ("eml", lambda name, data: mixed(
    b"Content-Type: multipart/appledouble; boundary=d\r\n\r\n--d\r\n"
    + attachment(name, apple(0x00051607, (9, bytes(32)), (2, data)), b"application/applefile") + b"\r\n--d\r\n"
    + attachment(name, b"the data fork") + b"\r\n--d--\r\n"))


@format("tnef", "dat")
def tnef(name, data):
    """winmail.dat with one attachment."""
    def attribute(level, identity, some):
        return (struct.pack("<BII", level, identity, len(some)) + some
                + struct.pack("<H", sum(some) & 0xffff))
    render = struct.pack("<HIIIHHH", 1, 0xffffffff, 0, 0, 0, 0, 0)[:14]
    return (struct.pack("<IH", 0x223e9f78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
            + attribute(2, 0x00069002, render) + attribute(2, 0x00018010, name.encode() + b"\0")
            + attribute(2, 0x0006800f, data))


@format("smime-opaque", "eml")
def smime_opaque(name, data):
    with Folder("inner.eml", attachment(name, data)) as folder:
        folder.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
                   "-subj", "/CN=sample")
        signed = folder.run("openssl", "smime", "-sign", "-binary", "-nodetach", "-in", "inner.eml", "-signer", "cert.pem",
                            "-inkey", "key.pem")
        return b"From: a@example.com\nTo: b@example.com\nSubject: sample\n" + signed
