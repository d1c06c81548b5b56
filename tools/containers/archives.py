"""Archives, compressors and images: `name -> maker(file name, bytes) -> bytes`."""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib

from tool import Folder

FORMATS = {}


def format(label, extension):
    def register(maker):
        FORMATS[label] = (extension, maker)
        return maker
    return register


def zipped(method, **more):
    def make(name, data):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = method
            with archive.open(info, "w", **more) as entry:
                entry.write(data)
        return out.getvalue()
    return make


FORMATS["zip-stored"] = ("zip", zipped(zipfile.ZIP_STORED))
FORMATS["zip-deflate"] = ("zip", zipped(zipfile.ZIP_DEFLATED))
FORMATS["zip-bzip2"] = ("zip", zipped(zipfile.ZIP_BZIP2))
FORMATS["zip-lzma"] = ("zip", zipped(zipfile.ZIP_LZMA))
FORMATS["zip-zip64"] = ("zip", zipped(zipfile.ZIP_DEFLATED, force_zip64=True))


@format("zip-descriptor", "zip")
def zip_descriptor(name, data):
    """Sizes only behind the data, as streaming writers do."""
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = bytearray()

        def writable(self):
            return True

        def write(self, some):
            self.data += some
            return len(some)
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return bytes(pipe.data)


@format("zip-no-directory", "zip")
def zip_no_directory(name, data):
    made = FORMATS["zip-deflate"][1](name, data)
    return made[:made.index(b"PK\x01\x02")]


@format("zip-leading-junk", "zip")
def zip_leading_junk(name, data):
    return b"\x90" * 1234 + FORMATS["zip-deflate"][1](name, data)


@format("zip-wrong-directory", "zip")
def zip_wrong_directory(name, data):
    """The central directory names another file of another size."""
    made = bytearray(FORMATS["zip-deflate"][1](name, data))
    at = made.index(b"PK\x01\x02")
    struct.pack_into("<II", made, at + 20, 4, 4)
    made[at + 46:at + 46 + min(4, len(name))] = b"harm"[:min(4, len(name))]
    return bytes(made)


def seven(kind, *options):
    def make(name, data):
        with Folder(name, data) as folder:
            folder.run("7zz", "a", f"-t{kind}", "-bso0", *options, "out.bin", name)
            return folder.read("out.bin")
    return make


for label, kind, extension, options in (
    ("zip-deflate64", "zip", "zip", ["-mm=Deflate64"]), ("zip-ppmd", "zip", "zip", ["-mm=PPMd"]),
    ("zip-xz", "zip", "zip", ["-mm=xz"]),
    ("7z-lzma2", "7z", "7z", []), ("7z-lzma", "7z", "7z", ["-m0=lzma"]), ("7z-ppmd", "7z", "7z", ["-m0=ppmd"]),
    ("7z-bzip2", "7z", "7z", ["-m0=bzip2"]), ("7z-deflate", "7z", "7z", ["-m0=deflate"]),
    ("7z-deflate64", "7z", "7z", ["-m0=deflate64"]), ("7z-copy", "7z", "7z", ["-mx=0"]),
    ("7z-bcj2", "7z", "7z", ["-m0=bcj2", "-m1=lzma", "-m2=lzma", "-m3=lzma", "-mb0:1", "-mb0s1:2", "-mb0s2:3"]),
    ("7z-delta", "7z", "7z", ["-m0=delta:4", "-m1=lzma2"]), ("wim", "wim", "wim", []),
    ("7z-arm64", "7z", "7z", ["-m0=arm64", "-m1=lzma2"]), ("7z-swap4", "7z", "7z", ["-m0=swap4", "-m1=lzma"]),
    ("7z-bcj-ppmd", "7z", "7z", ["-m0=bcj", "-m1=ppmd"]), ("7z-arm-bzip2", "7z", "7z", ["-m0=arm", "-m1=bzip2"]),
):
    FORMATS[label] = (extension, seven(kind, *options))


def tarred(dialect):
    def make(name, data):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=dialect) as archive:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        return out.getvalue()
    return make


FORMATS["tar-ustar"] = ("tar", tarred(tarfile.USTAR_FORMAT))
FORMATS["tar-gnu"] = ("tar", tarred(tarfile.GNU_FORMAT))
FORMATS["tar-pax"] = ("tar", tarred(tarfile.PAX_FORMAT))
FORMATS["gzip"] = ("gz", lambda name, data: gzip.compress(data, mtime=0))
FORMATS["gzip-two-members"] = ("gz", lambda name, data: gzip.compress(b"", mtime=0) + gzip.compress(data, mtime=0))
FORMATS["bzip2"] = ("bz2", lambda name, data: bz2.compress(data))
FORMATS["xz"] = ("xz", lambda name, data: lzma.compress(data))
FORMATS["lzma"] = ("lzma", lambda name, data: lzma.compress(data, lzma.FORMAT_ALONE))
FORMATS["zlib"] = ("zlib", lambda name, data: zlib.compress(data))


def filtered(*command):
    def make(name, data):
        with Folder(name, data) as folder:
            return folder.run(*command, data=data)
    return make


FORMATS["zstd"] = ("zst", filtered("zstd", "-q", "-c"))
FORMATS["lz4"] = ("lz4", filtered("lz4", "-q", "-c"))
FORMATS["lz4-legacy"] = ("lz4", filtered("lz4", "-q", "-l", "-c"))
FORMATS["lzip"] = ("lz", filtered("lzip", "-q", "-c"))
FORMATS["lzop"] = ("lzo", filtered("lzop", "-q", "-c"))
FORMATS["compress"] = ("Z", filtered("compress", "-f", "-c"))
FORMATS["brotli"] = ("br", filtered("brotli", "-c"))


@format("lrzip", "lrz")
def lrzip(name, data):
    with Folder(name, data) as folder:
        folder.run("lrzip", "-Q", "-o", "out.lrz", name)
        return folder.read("out.lrz")


def bsdtar(kind):
    def make(name, data):
        with Folder(name, data) as folder:
            folder.run("bsdtar", "-c", "-f", "out.bin", "--format", kind, name)
            return folder.read("out.bin")
    return make


for label, kind, extension in (
    ("cpio-odc", "cpio", "cpio"), ("cpio-newc", "newc", "cpio"), ("ar-bsd", "arbsd", "a"), ("ar-svr4", "ar", "a"),
    ("xar", "xar", "xar"), ("tar-v7", "v7tar", "tar"), ("shar-uuencoded", "shardump", "shar"), ("iso-bsdtar", "iso9660", "iso"),
    ("warc", "warc", "warc"),
):
    FORMATS[label] = (extension, bsdtar(kind))


@format("shar", "shar")
def shar(name, data):
    """A shell cannot write what is not text from a here-document."""
    if b"\0" in data or not data.isascii():
        raise ValueError("a plain shar holds text only")
    return bsdtar("shar")(name, data)


@format("cpio-crc", "cpio")
def cpio_crc(name, data):
    with Folder(name, data) as folder:
        return folder.run("cpio", "-o", "-H", "crc", "--quiet", data=name.encode() + b"\n")


@format("cpio-binary", "cpio")
def cpio_binary(name, data):
    with Folder(name, data) as folder:
        return folder.run("cpio", "-o", "-H", "bin", "--quiet", data=name.encode() + b"\n")


def made_by(output, *command):
    def make(name, data):
        with Folder(name, data) as folder:
            folder.run(*[part.replace("NAME", name) for part in command])
            return folder.read(output)
    return make


FORMATS["arj"] = ("arj", made_by("out.arj", "arj", "a", "-y", "out.arj", "NAME"))
FORMATS["arj-stored"] = ("arj", made_by("out.arj", "arj", "a", "-y", "-m0", "out.arj", "NAME"))
FORMATS["cab-mszip"] = ("cab", made_by("out.cab", "gcab", "-c", "-z", "out.cab", "NAME"))
FORMATS["cab-stored"] = ("cab", made_by("out.cab", "gcab", "-c", "out.cab", "NAME"))
FORMATS["lha-lh5"] = ("lzh", made_by("out.lzh", "jlha", "ao5", "out.lzh", "NAME"))
FORMATS["lha-lh7"] = ("lzh", made_by("out.lzh", "jlha", "ao7", "out.lzh", "NAME"))
FORMATS["iso-joliet"] = ("iso", made_by("out.iso", "genisoimage", "-quiet", "-J", "-o", "out.iso", "NAME"))
FORMATS["iso-rockridge"] = ("iso", made_by("out.iso", "genisoimage", "-quiet", "-R", "-o", "out.iso", "NAME"))
FORMATS["iso-udf"] = ("iso", made_by("out.iso", "genisoimage", "-quiet", "-udf", "-o", "out.iso", "NAME"))
FORMATS["iso-hfs"] = ("iso", made_by("out.iso", "genisoimage", "-quiet", "-hfs", "-o", "out.iso", "NAME"))
FORMATS["squashfs-gzip"] = ("sqfs", made_by("out.sq", "mksquashfs", "NAME", "out.sq", "-quiet", "-no-progress"))
for packing in ("xz", "lzo", "lz4", "zstd"):
    FORMATS["squashfs-" + packing] = (
        "sqfs", made_by("out.sq", "mksquashfs", "NAME", "out.sq", "-quiet", "-no-progress", "-comp", packing))


def wim(compression):
    def make(name, data):
        with Folder(name, data) as folder:
            os.mkdir(os.path.join(folder.path, "tree"))
            os.rename(os.path.join(folder.path, name), os.path.join(folder.path, "tree", name))
            folder.run("wimlib-imagex", "capture", "tree", "out.wim", f"--compress={compression}", "--no-acls")
            return folder.read("out.wim")
    return make


FORMATS["wim-lzx"] = ("wim", wim("LZX"))
FORMATS["wim-xpress"] = ("wim", wim("XPRESS"))


IMAGE = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDAT"
         b"\x78\x9c\x63\x60\0\0\0\2\0\1\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82")
for label, inner in (("png-cab", "cab-mszip"), ("png-arj", "arj-stored"), ("png-7z", "7z-lzma2"), ("png-zip", "zip-deflate")):
    FORMATS[label] = ("png", lambda name, data, inner=inner: IMAGE + FORMATS[inner][1](name, data))
FORMATS["text-7z"] = ("txt", lambda name, data: b"This is a text, and behind it comes something else.\r\n" * 40
                      + FORMATS["7z-lzma2"][1](name, data))


@format("tar-sparse", "tar")
def tar_sparse(name, data):
    """A hole behind the payload."""
    with Folder(name, data + bytes(1 << 20)) as folder:
        # A copy with holes; the payload has a file name that tar keeps.
        folder.run("cp", "--sparse=always", name, "holes.bin")
        folder.run("tar", "-c", "-S", "-f", "out.tar", "holes.bin")
        return folder.read("out.tar")


@format("fat-image", "img")
def fat_image(name, data):
    with Folder(name, data) as folder:
        size = max(1 << 20, (len(data) + (1 << 19)) // 512 * 512)
        folder.write("disk.img", bytes(size))
        folder.run("/sbin/mkfs.fat", "disk.img")
        folder.run("mcopy", "-i", "disk.img", name, "::payload.bin")
        return folder.read("disk.img")


def disk(kind, *options):
    def make(name, data):
        with Folder("disk.img", fat_image(name, data)) as folder:
            folder.run("qemu-img", "convert", "-f", "raw", "-O", kind, *options, "disk.img", "out.img")
            return folder.read("out.img")
    return make


FORMATS["vhd"] = ("vhd", disk("vpc"))
FORMATS["vmdk"] = ("vmdk", disk("vmdk"))
FORMATS["vmdk-compressed"] = ("vmdk", disk("vmdk", "-o", "subformat=streamOptimized"))
FORMATS["qcow2"] = ("qcow2", disk("qcow2"))
FORMATS["qcow2-compressed"] = ("qcow2", disk("qcow2", "-c"))


def partitioned(kind):
    def make(name, data):
        volume = fat_image(name, data)
        with Folder("disk.img", bytes((1 << 20) + len(volume) + (1 << 20))) as folder:
            folder.run("/sbin/sfdisk", "-q", "disk.img", data=f"label: {kind}\nstart=2048, size={len(volume) // 512}\n".encode())
            image = bytearray(folder.read("disk.img"))
        image[1 << 20:(1 << 20) + len(volume)] = volume
        return gzip.compress(bytes(image), mtime=0)
    return make


FORMATS["mbr-gz"] = ("img.gz", partitioned("dos"))
FORMATS["gpt-gz"] = ("img.gz", partitioned("gpt"))


@format("deb", "deb")
def deb(name, data):
    with Folder(name, data) as folder:
        folder.write("p/DEBIAN/control", b"Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.com>\n"
                     b"Description: sample\n")
        folder.write(f"p/usr/share/{name}", data)
        folder.run("dpkg-deb", "--root-owner-group", "-b", "p", "out.deb")
        return folder.read("out.deb")


@format("rpm", "rpm")
def rpm(name, data):
    with Folder(name, data) as folder:
        folder.write("sample.spec", f"""Name: sample
Version: 1
Release: 1
Summary: sample
License: none
BuildArch: noarch
%description
sample
%install
mkdir -p %{{buildroot}}/usr/share
cp {folder.path}/{name} %{{buildroot}}/usr/share/payload.bin
%files
/usr/share/payload.bin
""".encode())
        folder.run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder.path}/rpm", "sample.spec")
        for place, _, names in os.walk(f"{folder.path}/rpm/RPMS"):
            for file in names:
                return folder.read(os.path.join(place, file))


@format("msi", "msi")
def msi(name, data):
    with Folder("payload.bin", data) as folder:
        folder.write("sample.wxs", b"""<?xml version='1.0'?>
<Wix xmlns='http://schemas.microsoft.com/wix/2006/wi'>
<Product Id='ABCDDCBA-86C7-4D14-AEC0-86416A69ABDE' Name='Sample' Language='1033' Version='1.0.0'
 UpgradeCode='ABCDDCBA-7349-453F-94F6-BCB5110BA8FD' Manufacturer='Sample'>
<Package InstallerVersion='200' Compressed='yes'/><Media Id='1' Cabinet='sample.cab' EmbedCab='yes'/>
<Directory Id='TARGETDIR' Name='SourceDir'><Component Id='C' Guid='ABCDDCBA-83F1-4F22-985B-FDB3C8ABD471'>
<File Id='F' Name='payload.bin' Source='payload.bin'/></Component></Directory>
<Feature Id='X' Level='1'><ComponentRef Id='C'/></Feature></Product></Wix>""")
        folder.run("wixl", "-o", "out.msi", "sample.wxs")
        return folder.read("out.msi")


def nsis(compressor):
    def make(name, data):
        with Folder("payload.bin", data) as folder:
            folder.write("sample.nsi", f"""SetCompressor {compressor}
Unicode true
OutFile out.exe
InstallDir $TEMP
Section
SetOutPath $INSTDIR
File payload.bin
SectionEnd
""".encode())
            folder.run("makensis", "-V1", "sample.nsi")
            return folder.read("out.exe")
    return make


for compressor in ("zlib", "bzip2", "lzma", "/SOLID lzma"):
    FORMATS["nsis-" + compressor.strip("/").replace(" ", "-").lower()] = ("exe", nsis(compressor))


@format("sfx-zip", "exe")
def sfx_zip(name, data):
    stub = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, 0, 0, 0, 0, 224, 0x102)
    return stub + struct.pack("<H", 0x10b) + bytes(222 + 256) + FORMATS["zip-deflate"][1](name, data)


@format("jar", "jar")
def jar(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
        archive.writestr("x/" + name, data)
    return out.getvalue()


@format("dmg-zlib", "dmg")
def dmg_zlib(name, data):
    """A UDIF image with one zlib block over a FAT file system."""
    import base64
    image = fat_image(name, data)
    packed = zlib.compress(image)
    sectors = len(image) // 512
    blocks = struct.pack(">4sIQQQIII", b"mish", 1, 0, sectors, 0, 0x208, 0, 0) + bytes(20) + bytes(136) + struct.pack(">I", 2)
    blocks = blocks[:200] + struct.pack(">I", 2)
    blocks += struct.pack(">IIQQQQ", 0x80000005, 0, 0, sectors, 0, len(packed))
    blocks += struct.pack(">IIQQQQ", 0xffffffff, 0, sectors, 0, len(packed), 0)
    listing = (b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>resource-fork</key><dict>'
               b"<key>blkx</key><array><dict><key>Attributes</key><string>0x0050</string><key>Data</key><data>"
               + base64.b64encode(blocks) + b"</data><key>ID</key><string>0</string><key>Name</key><string>image"
               b"</string></dict></array></dict></dict></plist>\n")
    trailer = struct.pack(">4sIII", b"koly", 4, 512, 1) + struct.pack(">QQQQQII", 0, 0, len(packed), 0, 0, 1, 1)
    trailer += bytes(16) + bytes(136) + struct.pack(">QQ", len(packed), len(listing))
    return packed + listing + trailer + bytes(512 - len(trailer))


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@format("alz", "alz")
def alz(name, data):
    """ALZip: one deflated file."""
    packed = raw_deflate(data)
    title = name.encode()
    return (struct.pack("<II", 0x015a4c41, 10) + struct.pack("<IHBIBB", 0x015a4c42, len(title), 0x20, 0, 0x40, 0)
            + struct.pack("<BBI", 2, 0, zlib.crc32(data)) + struct.pack("<II", len(packed), len(data)) + title + packed
            + struct.pack("<III", 0x015a4c43, 0, 0) + struct.pack("<I", 0x025a4c43))
