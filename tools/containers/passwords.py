"""Encrypted files whose password stands in the message that brings them."""

import io
import zipfile

from archives import FORMATS, format
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
