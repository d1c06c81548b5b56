"""Archives in volumes, which come as attachments of one message."""

import glob
import os

from archives import FORMATS, format
from messages import attachment, mixed
from tool import Folder


def parts(folder, pattern):
    """The volumes that a tool made, in the order in which mail programs sort them."""
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(folder.path, pattern)))
    return attachments([(name, folder.read(name)) for name in names])


def attachments(files):
    return mixed(b"\r\n--=_b\r\n".join(attachment(name, data) for name, data in files))


def size(data):
    """Three volumes or so."""
    return max(100, len(data) // 3 + 1)


@format("mail-7z-volumes", "eml")
def seven_zip(name, data):
    with Folder(name, data) as folder:
        folder.run("7zz", "a", "-mx=0", f"-v{size(data)}b", "out.7z", name)
        return parts(folder, "out.7z.*")


@format("mail-zip-pieces", "eml")
def zip_pieces(name, data):
    with Folder(name, data) as folder:
        folder.run("7zz", "a", "-tzip", "-mx=0", f"-v{size(data)}b", "out.zip", name)
        return parts(folder, "out.zip.*")


@format("mail-zip-spanned", "eml")
def zip_spanned(name, data):
    """As zip -s writes it, whose smallest volume has 64 KiB: each entry and the directory in a volume of its own."""
    whole = FORMATS["zip-deflate"][1](name, data)
    cut = whole.index(b"PK\1\2") // 2
    return attachments([("out.z01", b"PK\x07\x08" + whole[:cut]), ("out.zip", whole[cut:])])
