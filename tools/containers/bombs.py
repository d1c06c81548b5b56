"""Files that want more than there is: `name -> (maker, expected)`.

`expected` is "limit" where a scan must end by a limit and say which, "any" where all of it can be read in little time and
memory: then it may end as clean, or as what its format is flagged with.
"""

import base64
import bz2
import functools
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib

import archives
import documents
import hfsplus
import messages
import ntfscompressed

BOMBS = {}
MEGABYTE = 1 << 20


def bomb(name, expected="limit"):
    def register(maker):
        BOMBS[name] = (maker, expected)
        return maker
    return register


# ---------------------------------------------------------------- much from little

@functools.cache
def deflated_zeros(megabytes, window=-15):
    """A deflate stream of zeros: one part that ends at a byte, as often as needed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    first = packer.compress(bytes(16 * MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    second = packer.compress(bytes(16 * MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + second * (megabytes // 16 - 1) + packer.flush()


@functools.cache
def packed_zeros(kind):
    """64 MB of zeros as one member of a format whose members may follow each other."""
    zeros = bytes(64 * MEGABYTE)
    if kind == "bzip2":
        return bz2.compress(zeros)
    if kind == "xz":
        return lzma.compress(zeros)
    return archives.FORMATS[kind][1]("zeros", zeros)


def zip_of(entries, directory=None, count=None):
    """A zip: (name, method, packed, size) of each entry; with `directory`, the numbers of the entries that the directory
    names, in its order."""
    out, places = bytearray(), []
    for name, method, packed, size in entries:
        places.append(len(out))
        out += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, method, 0, 0x21, 0, len(packed), min(size, 0xffffffff), len(name), 0)
        out += name + packed
    start, listed = len(out), range(len(entries)) if directory is None else directory
    for index in listed:
        name, method, packed, size = entries[index]
        out += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, method, 0, 0x21, 0, len(packed),
                           min(size, 0xffffffff), len(name), 0, 0, 0, 0, 0, places[index]) + name
    number = min(len(listed) if count is None else count, 0xffff)
    return bytes(out + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, number, number, min(len(out) - start, 0xffffffff), start, 0))


def large_zip(method, packed):
    return zip_of([(b"zeros", method, packed, 4095 * MEGABYTE)])


BOMBS["zip-4g"] = (lambda: large_zip(8, deflated_zeros(4096)), "limit")
BOMBS["gzip-4g"] = (lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + deflated_zeros(4096) + bytes(8), "limit")
BOMBS["swf-4g"] = (lambda: b"CWS\x0d\xff\xff\xff\xff\x78\xda" + deflated_zeros(4096) + bytes(4), "limit")
BOMBS["zlib-4g"] = (lambda: b"\x78\xda" + deflated_zeros(4096) + bytes(4), "limit")
BOMBS["gzip-members-4g"] = (lambda: gzip.compress(bytes(16 * MEGABYTE)) * 256, "limit")
for kind in ("bzip2", "xz", "zstd", "lz4", "lzip", "lzop"):
    BOMBS[f"{kind}-2g"] = (functools.partial(lambda kind: packed_zeros(kind) * 32, kind), "limit")
BOMBS["lzma-512m"] = (lambda: lzma.compress(bytes(512 * MEGABYTE), lzma.FORMAT_ALONE, preset=0), "limit")
BOMBS["compress-1g"] = (lambda: archives.FORMATS["compress"][1]("zeros", bytes(1024 * MEGABYTE)), "limit")
BOMBS["zip-bzip2-2g"] = (lambda: large_zip(12, packed_zeros("bzip2")), "limit")
BOMBS["zip-zstd-2g"] = (lambda: large_zip(93, packed_zeros("zstd") * 32), "limit")
for label in ("zip-deflate64", "zip-ppmd", "7z-lzma2", "7z-bzip2", "7z-ppmd", "7z-deflate", "wim-lzx",
              "squashfs-gzip", "squashfs-xz", "cab-mszip", "arj", "lha-lh7", "rpm", "deb", "msi", "nsis-solid-lzma",
              "docx-media", "jar", "xar"):
    BOMBS[f"{label}-300m"] = (
        functools.partial(lambda label: archives.FORMATS[label][1]("zeros.bin", bytes(300 * MEGABYTE)), label), "limit")


@bomb("tar-gzip-4g")
def tar_gzip():
    """A tar whose one member takes all of a gzip."""
    info = tarfile.TarInfo("zeros")
    info.size = 4096 * MEGABYTE
    head = info.tobuf()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
            + deflated_zeros(4096) + bytes(8))


@bomb("pdf-flate-twice")
def pdf_flate_twice():
    return documents.simple_pdf([stream(b"[/FlateDecode/FlateDecode]", zlib.compress(b"\x78\xda" + deflated_zeros(16384)))])


@bomb("pdf-2000-streams")
def pdf_streams():
    text = stream(b"/FlateDecode", b"\x78\xda" + deflated_zeros(16))
    return documents.simple_pdf([text] * 100)


@bomb("pdf-run-length")
def pdf_run_length():
    return documents.simple_pdf([stream(b"[/FlateDecode/RunLengthDecode]", zlib.compress(b"\x81\0" * (30 * MEGABYTE), 9))])


@bomb("pdf-filters-1000", "any")
def pdf_filters():
    text = b"x"
    for _ in range(1000):
        text = text.hex().encode()[:4096] + b">"
    return documents.simple_pdf([stream(b"[" + b"/ASCIIHexDecode" * 1000 + b"]", text)])


def stream(filters, text):
    return b"<</Type/EmbeddedFile/Filter%s/Length %d>>\nstream\n" % (filters, len(text)) + text + b"\nendstream"


@bomb("mail-base64-gzip-4g")
def mail_gzip():
    return messages.mixed(messages.attachment("a.gz", BOMBS["gzip-4g"][0]()))


# ---------------------------------------------------------------- windows that want all memory

def with_dictionary(packed, place, value):
    out = bytearray(packed)
    out[place:place + len(value)] = value
    return bytes(out)


TEXT = b"a text that is short. " * 100
BOMBS["lzma-dictionary-4g-zeros"] = (lambda: with_dictionary(
    BOMBS["lzma-512m"][0](), 1, struct.pack("<I", 0xc0000000)) * 2, "limit")
BOMBS["zip-xz-dictionary"] = (lambda: large_zip(95, xz_zeros()), "limit")
BOMBS["xz-dictionary-1g-zeros"] = (lambda: xz_zeros(), "limit")
BOMBS["lzma-dictionary-4g"] = (lambda: with_dictionary(
    lzma.compress(TEXT, lzma.FORMAT_ALONE), 1, struct.pack("<I", 0xc0000000)), "any")
BOMBS["lzip-dictionary-512m"] = (lambda: with_dictionary(archives.FORMATS["lzip"][1]("a", TEXT), 5, b"\x1d"), "any")


@functools.cache
def xz_zeros():
    """512 MB of zeros in one block, with a window of 4 GiB."""
    return xz_dictionary(bytes(512 * MEGABYTE))


@bomb("xz-dictionary-4g", "any")
def xz_dictionary(content=TEXT):
    """The filter's property says 4 GiB, with the block header's checksum made right."""
    out = bytearray(lzma.compress(content, check=lzma.CHECK_NONE, preset=0))
    size = (out[12] + 1) * 4
    place = out.index(b"\x21\x01", 12) + 2
    out[place] = 40
    struct.pack_into("<I", out, 12 + size - 4, zlib.crc32(bytes(out[12:12 + size - 4])))
    return bytes(out)


@bomb("zstd-window-2g", "any")
def zstd_window():
    """A frame with a window descriptor of 2 GiB and raw blocks."""
    return struct.pack("<IBB", 0xfd2fb528, 0, (31 - 10) << 3) + struct.pack("<I", 1 | len(TEXT) << 3)[:3] + TEXT


@bomb("zstd-window-2g-zeros", "any")
def zstd_window_zeros():
    """The same with blocks of 128 KiB that are one byte again and again, 4 GB of them."""
    block = struct.pack("<I", 2 | 131072 << 3)[:3] + b"\0"
    return struct.pack("<IBB", 0xfd2fb528, 0, (31 - 10) << 3) + block * 32768 + b"\1\0\0"


BOMBS["7z-dictionary-4g"] = (lambda: archives.FORMATS["7z-lzma"][1]("a", TEXT).replace(
    b"\x23\x03\x01\x01\x05\x5d", b"\x23\x03\x01\x01\x05\x5d", 1), "any")


@bomb("zip-ppmd-memory", "any")
def zip_ppmd_memory():
    """Order 16, 256 MB of memory."""
    out = bytearray(archives.FORMATS["zip-ppmd"][1]("a", TEXT))
    place = 30 + 1
    struct.pack_into("<H", out, place, 15 | 255 << 4)
    return bytes(out)


# ---------------------------------------------------------------- one in another

def nested(label, levels, name="inner", seed=b"end"):
    extension, maker = archives.FORMATS[label]
    data = seed
    for _ in range(levels):
        data = maker(f"{name}.{extension}", data)
    return data


for label, levels in (
        ("gzip", 200), ("bzip2", 60), ("xz", 60), ("zstd", 30), ("zip-deflate", 200), ("zip-stored", 200), ("tar-ustar", 100),
        ("mail-base64", 14), ("mail-nested", 11), ("mail-uuencode", 13), ("mail-yenc", 100), ("mail-binhex", 14),
        ("tnef", 200), ("mbox", 12), ("ole-package", 30), ("docx-ole", 30), ("docx-media", 100), ("rtf", 13),
        ("html-data-uri", 14), ("flat-opc", 14), ("pdf-flate", 100), ("onenote", 200), ("warc", 30), ("alz", 200),
        ("lnk-appended", 100), ("pe-overlay", 200), ("zlib", 200), ("jar", 100), ("swf", 200), ("swf-zlib", 100)):
    BOMBS[f"nested-{label}"] = (functools.partial(nested, label, levels), "limit")


@bomb("zips-16-wide")
def zips_wide():
    content = zip_of([(b"zeros", 8, deflated_zeros(256), 256 * MEGABYTE)])
    for _ in range(4):
        content = archives.FORMATS["zip-deflate"][1]("a", content)
        packed = content[30 + 1:content.index(b"PK\1\2")]
        content = zip_of([(b"%d.zip" % n, 8, packed, len(content)) for n in range(16)])
    return content


@bomb("zip-stored-in-itself")
def zip_in_itself():
    """Each entry is the rest of the file: 20,000 levels in 700 KB."""
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0x21, 0, 0xffffffff, 0xffffffff, 1, 0) + b"z"
    return head * 20_000


@bomb("gzip-quine")
def gzip_quine():
    """Unpacks to itself (but for its checksum), in the way of R. Cox, "Zip Files All The Way Down": units of five bytes,
    of which L is the head of a stored block of four units, and R a block that repeats the last four units that came."""
    head = b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname\0"
    # The last block, the trailer, and two bytes that nobody reads.
    tail = b"\1\0\0\xff\xff" + bytes(10)
    literal = struct.pack("<BHH", 0, 20, ~20 & 0xffff)
    bits = []

    def put(value, count):
        bits.extend(value >> n & 1 for n in range(count))

    def code(value, count):
        bits.extend(value >> n & 1 for n in reversed(range(count)))
    put(0, 1)
    put(1, 2)
    for _ in range(2):
        # Ten bytes (code 264) from twenty back (code 8, three bits more).
        code(8, 7)
        code(8, 5)
        put(3, 3)
    code(0, 7)
    repeat = bytes(sum(bit << n for n, bit in enumerate(bits[at:at + 8])) for at in range(0, 40, 8))
    return head + literal + head + literal + (repeat + literal) * 4 + repeat + tail + repeat + tail


# ---------------------------------------------------------------- the same bytes again and again

@bomb("zip-overlapping-5000")
def overlapping():
    return zip_of([(b"x", 8, deflated_zeros(16), 16 * MEGABYTE)], [0] * 5000)


@bomb("zip-overlapping-headers")
def overlapping_headers():
    """Every local header's data has all later headers in it (D. Fifield, "A better zip bomb")."""
    kernel = deflated_zeros(64)
    out, entries = bytearray(), []
    parts = [b""] * 3000
    data, size = kernel, 64 * MEGABYTE
    for number in reversed(range(3000)):
        head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0x21, 0, 0, 0, 4, 0) + b"%04d" % number
        parts[number] = head
        entries.append((number, len(head)))
        quoted = struct.pack("<BHH", 0, len(head), ~len(head) & 0xffff)
        parts[number] = head + (quoted if number < 2999 else b"")
    out = bytearray(b"".join(parts) + data)
    start, place, directory = len(out), 0, bytearray()
    for number in range(3000):
        begin = place
        place += len(parts[number])
        packed = start - begin - 34
        directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0x21, 0, packed, min(size, 0xffffffff), 4,
                                 0, 0, 0, 0, 0, begin) + b"%04d" % number
    return bytes(out + directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 3000, 3000, len(directory), start, 0))


@bomb("ole-streams-share-sectors")
def ole_shared():
    """4,000 streams, each the same 4 MB of sectors."""
    return directory_of(4000, lambda number: (0, 4 * MEGABYTE), 4 * MEGABYTE)


def directory_of(count, place, size, links=None):
    """A compound file with `size` bytes in one chain from sector 0 and `count` streams that begin anywhere."""
    sectors = size // 512
    entries = bytearray(entry("Root Entry", 5, 0xfffffffe, 0, child=1))
    for number in range(1, count + 1):
        start, length = place(number)
        right = links(number) if links else (number + 1 if number < count else 0xffffffff)
        entries += entry(f"s{number}", 2, start, length, right=right)
    entries += bytes(-len(entries) % 512)
    directory_sectors = len(entries) // 512
    table_sectors = 1
    while table_sectors * 128 < sectors + directory_sectors + table_sectors:
        table_sectors += 1
    table = [n + 1 for n in range(sectors)]
    table[-1] = 0xfffffffe
    table += [sectors + n + 1 for n in range(directory_sectors)]
    table[-1] = 0xfffffffe
    table += [0xfffffffd] * table_sectors
    table += [0xffffffff] * (table_sectors * 128 - len(table))
    return compound_header(sectors, sectors + directory_sectors, table_sectors) + bytes(size) + bytes(entries) + struct.pack(
        f"<{len(table)}I", *table)


def compound_header(directory, table, table_sectors, more=0xfffffffe, more_count=0):
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6xIII", 0x3e, 3, 0xfffe, 9, 6, 0, table_sectors, directory)
    head += struct.pack("<IIIIII", 0, 4096, 0xfffffffe, 0, more, more_count)
    places = [table + n for n in range(min(109, table_sectors))]
    return (head + struct.pack(f"<{len(places)}I", *places)).ljust(512, b"\xff")


def entry(name, kind, start, size, left=0xffffffff, right=0xffffffff, child=0xffffffff):
    text = name.encode("utf-16-le")[:62]
    return text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, left, right, child) + bytes(36) + struct.pack(
        "<IQ", start, size)


@bomb("ole-storages-16000-deep", "any")
def ole_deep():
    entries = bytearray(entry("Root Entry", 5, 0xfffffffe, 0, child=1))
    for number in range(1, 16_000):
        entries += entry(f"d{number}", 1, 0, 0, child=number + 1)
    entries += entry("bottom", 2, 0, 4096)
    return small_compound(entries)


@bomb("ole-directory-cycle", "any")
def ole_cycle():
    entries = bytearray(entry("Root Entry", 5, 0xfffffffe, 0, child=1))
    for number in range(1, 4000):
        entries += entry(f"d{number}", 1 if number % 2 else 2, 0, 4096, left=number * 7 % 4000, right=number * 13 % 4000, child=1)
    return small_compound(entries)


def small_compound(entries):
    entries = bytes(entries) + bytes(-len(entries) % 512)
    sectors = len(entries) // 512
    table_sectors = (sectors + 8 + 127) // 128 + 1
    table = [n + 1 for n in range(sectors)]
    table[-1] = 0xfffffffe
    table += [0xfffffffd] * table_sectors
    table += list(range(len(table) + 1, table_sectors * 128 + 1))
    return compound_header(0, sectors, table_sectors) + entries + struct.pack(f"<{table_sectors * 128}I", *table[:table_sectors * 128])


@bomb("ole-chain-cycles")
def ole_chain_cycles():
    """Every stream's chain goes round in 1 MB, and says that it is 2 GB long; 8,000 of them."""
    made = bytearray(directory_of(8000, lambda number: (number % 2048, 0x7fffffff), MEGABYTE))
    table = 512 + MEGABYTE + (8001 * 128 + 511) // 512 * 512
    struct.pack_into("<I", made, table + 2047 * 4, 0)
    return bytes(made)


@bomb("ole-difat-cycle", "any")
def ole_difat():
    made = bytearray(directory_of(10, lambda number: (0, 4096), MEGABYTE))
    struct.pack_into("<II", made, 68, 3, 0xffffffff)
    struct.pack_into("<128I", made, 512 + 3 * 512, *([3] * 128))
    return bytes(made)


def fat_disk(megabytes=16):
    with archives.Folder("a", b"x") as folder:
        folder.write("disk.img", bytes(megabytes * MEGABYTE))
        folder.run("/sbin/mkfs.fat", "-F", "16", "disk.img")
        return bytearray(folder.read("disk.img"))


def fat_parts(disk):
    sector, cluster, reserved, tables, roots = struct.unpack_from("<HBHBH", disk, 11)
    per_table = struct.unpack_from("<H", disk, 22)[0]
    root = (reserved + tables * per_table) * sector
    return reserved * sector, root, root + roots * 32, sector * cluster, roots


def fat_entry(name, attributes, cluster, size):
    return name.ljust(11).encode() + struct.pack("<B14xHI", attributes, cluster, size)


@bomb("fat-entries-share-clusters", "any")
def fat_shared():
    disk = fat_disk()
    table, root, data, cluster, roots = fat_parts(disk)
    count = 8 * MEGABYTE // cluster
    struct.pack_into(f"<{count}H", disk, table + 4, *range(3, count + 2), 0xffff)
    for number in range(roots):
        at = root + 32 * number
        disk[at:at + 32] = fat_entry(f"F{number}", 0x20, 2, 8 * MEGABYTE)
    # Marked, so that no file is only zeros.
    disk[data:data + 8] = b"contents"
    return bytes(disk)


@bomb("fat-directory-in-itself")
def fat_itself():
    disk = fat_disk()
    table, root, data, cluster, roots = fat_parts(disk)
    struct.pack_into("<H", disk, table + 4, 0xffff)
    disk[root:root + 32] = fat_entry("LOOP", 0x10, 2, 0)
    for number in range(cluster // 32):
        at = data + 32 * number
        disk[at:at + 32] = fat_entry(f"D{number}", 0x10, 2, 0)
    return bytes(disk)


@bomb("fat-chain-cycle")
def fat_chain():
    disk = fat_disk()
    table, root, data, cluster, roots = fat_parts(disk)
    struct.pack_into("<2H", disk, table + 4, 3, 2)
    for number in range(roots):
        at = root + 32 * number
        disk[at:at + 32] = fat_entry(f"F{number}", 0x20 if number % 2 else 0x10, 2, 0xffffffff)
    return bytes(disk)


def hfs_files(count, runs, size=8 * MEGABYTE):
    """A disk of macOS with one file of that size, and many that name its blocks."""
    forks = hfsplus.fork(size, size // 4096, runs, 0) + bytes(80)
    noise = random.Random(1).randbytes(65536) * (size // 65536)
    return hfsplus.hfsplus([hfsplus.File("noise", noise)] + [hfsplus.File(f"f{number}", forks=forks) for number in range(count)], 4096, 4096)


@bomb("hfs-files-share-blocks", "any")
def hfs_shared():
    return hfs_files(3000, [(1, 2048)])


@bomb("hfs-files-share-pieces")
def hfs_pieces():
    return hfs_files(3000, [(1 + 256 * number, 256) for number in range(8)])


@bomb("hfs-compressed-blocks-share")
def hfs_compressed():
    """A table of 100,000 blocks, which are all the same one of 64 KiB."""
    count, block = 100_000, zlib.compress(bytes(65536), 9)
    resource = struct.pack("<I", count) + struct.pack("<II", 4 + 8 * count, len(block)) * count + block
    fork = struct.pack(">IIII", 256, 256, len(resource) + 4, 0).ljust(256, b"\0") + struct.pack(">I", len(resource)) + resource
    image = hfsplus.hfsplus([hfsplus.File("zeros", b"", fork, compression=4)], 4096, 4096)
    return image.replace(b"fpmc\4\0\0\0" + bytes(8), b"fpmc\4\0\0\0" + struct.pack("<Q", count * 65536))


@bomb("hfs-folders-and-leaves-go-round", "any")
def hfs_round():
    """Each leaf of the catalog names itself as the next, and the index above them itself as the node below."""
    image = bytearray(hfsplus.hfsplus([hfsplus.File(f"f{number}", b"content" * 9) for number in range(300)], 4096, 4096))
    start = struct.unpack_from(">I", image, 1024 + 288)[0] * 4096
    for number in range(1, struct.unpack_from(">I", image, start + 36)[0]):
        struct.pack_into(">I", image, start + number * 4096, number)
    return bytes(image)


@bomb("ntfs-compressed-zeros")
def ntfs_zeros():
    """A compressed file of which each unit is a hole, or all the same cluster."""
    with archives.Folder("zeros", bytes(65536)) as folder:
        folder.write("disk.img", bytes(4 * MEGABYTE))
        folder.run("mkntfs", "-F", "-Q", "-q", "disk.img")
        folder.run("ntfscp", "-f", "disk.img", "zeros", "zeros")
        image = bytearray(ntfscompressed.compress(folder.read("disk.img"), "zeros", b"zeros" * 800))
    # The first run is one cluster of packed data and a hole behind it; then comes a hole that is larger than any disk.
    place = image.index("zeros".encode("utf-16-le"))
    place = image.index(b"\x02\x0f\0\0", place)
    image[place:place + 8] = b"\x06" + struct.pack("<Q", 1 << 36)[:6] + b"\0"
    record = image.rindex(b"FILE", 0, place)
    size = image.index(struct.pack("<Q", 4000), record)
    struct.pack_into("<QQ", image, size, 1 << 48, 1 << 48)
    return bytes(image)


@bomb("gpt-partitions-share", "any")
def partitions_share():
    """128 partitions that are all the same 100 MB, and in which the same begins again."""
    sectors = 200_000

    def disk(count):
        made = bytearray(34 * 512)
        struct.pack_into("<B3sB3sII", made, 446, 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, sectors - 1)
        made[510:512] = b"\x55\xaa"
        entries = b"".join(
            b"\x01" * 16 + struct.pack("<16sQQQ72s", bytes([n]) * 16, 34, count - 34, 0, b"") for n in range(128))
        head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, count - 1, 34, count - 34, b"\2" * 16, 2, 128,
                           128, zlib.crc32(entries))
        head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
        made[512:512 + len(head)] = head
        made[1024:1024 + len(entries)] = entries
        return bytes(made)
    # Zeros behind the tables: a sparse file packs them, so it is made small by gzip.
    return gzip.compress(disk(sectors) + disk(sectors - 68) + bytes((sectors - 68) * 512), 6)


@bomb("mbr-extended-cycle", "any")
def extended_cycle():
    disk = bytearray(4096 * 512)
    struct.pack_into("<B3sB3sII", disk, 446, 0, b"\0\0\0", 5, b"\0\0\0", 1, 4000)
    disk[510:512] = b"\x55\xaa"
    for sector in range(1, 4000):
        at = sector * 512
        struct.pack_into("<B3sB3sII", disk, at + 446, 0, b"\0\0\0", 6, b"\0\0\0", 1, 2)
        struct.pack_into("<B3sB3sII", disk, at + 462, 0, b"\0\0\0", 5, b"\0\0\0", (sector * 7) % 3999, 4000)
        disk[at + 510:at + 512] = b"\x55\xaa"
    return bytes(disk)


@bomb("macho-universal-of-itself", "any")
def universal_itself():
    out = struct.pack(">II", 0xcafebabe, 30)
    for number in range(30):
        out += struct.pack(">IIIII", 7, 3, 0, 4096 - number, 0)  # offset 0: itself
    return out.ljust(4096, b"\0")


@bomb("qcow2-clusters-share")
def qcow2_shared():
    """64 GB of disk, every cluster of it the same one."""
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 64 << 30, 0, 128, 65536, 0, 0, 0, 0).ljust(65536, b"\0")
    first = struct.pack(">128Q", *([131072 | 1 << 63] * 128)).ljust(65536, b"\0")
    second = struct.pack(">8192Q", *([196608 | 1 << 63] * 8192))
    return head + first + second + b"\x01" * 65536


@bomb("vhd-blocks-share")
def vhd_shared():
    """A dynamic disk of 128 GB whose blocks are all the same."""
    blocks = 65536
    footer = struct.pack(">8sIIQI4sI4sQQI", b"conectix", 2, 0x10000, 512, 0, b"test", 0, b"Wi2k", 128 << 30, 128 << 30, 0)
    footer += struct.pack(">I", 3) + bytes(4) + bytes(16)
    footer = footer.ljust(512, b"\0")
    table = 1536
    data = (table + blocks * 4 + 511) // 512
    head = struct.pack(">8sQQIII", b"cxsparse", 0xffffffffffffffff, table, 0x10000, blocks, 2 * MEGABYTE).ljust(1024, b"\0")
    block = b"\xff" * 512 + b"\x01" * (2 * MEGABYTE)
    return (footer + head + struct.pack(">I", data) * blocks).ljust(data * 512, b"\0") + block + footer


@bomb("dmg-blocks-share")
def dmg_shared():
    made = zlib.compress(bytes(16 * MEGABYTE))
    sectors = 16 * MEGABYTE // 512
    count = 4096
    blocks = struct.pack(">4sIQQQIII", b"mish", 1, 0, sectors * count, 0, 0x208, 0, 0).ljust(200, b"\0") + struct.pack(">I", count)
    blocks += b"".join(struct.pack(">IIQQQQ", 0x80000005, 0, n * sectors, sectors, 0, len(made)) for n in range(count))
    listing = (b'<?xml version="1.0"?>\n<plist version="1.0"><dict><key>resource-fork</key><dict><key>blkx</key><array><dict>'
               b"<key>Data</key><data>" + base64.b64encode(blocks) + b"</data></dict></array></dict></dict></plist>\n")
    trailer = struct.pack(">4sIII", b"koly", 4, 512, 1) + struct.pack(">QQQQQII", 0, 0, len(made), 0, 0, 1, 1)
    trailer += bytes(152) + struct.pack(">QQ", len(made), len(listing))
    return made + listing + trailer.ljust(512, b"\0")


# ---------------------------------------------------------------- many, long, or lying

def members(kind, count):
    """A member again and again."""
    if kind == "tar":
        info = tarfile.TarInfo("a")
        info.size = 1
        return (info.tobuf() + b"x".ljust(512, b"\0")) * count + bytes(1024)
    if kind == "cpio":
        return (b"070701" + b"%08x" * 13 % (1, 0o100644, 0, 0, 1, 0, 1, 0, 0, 0, 0, 2, 0) + b"a\0" + b"x\0\0\0") * count
    if kind == "ar":
        return b"!<arch>\n" + (b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (b"a/", 0, 0, 0, b"644", 2) + b"x\n") * count
    if kind == "zip-local":
        return zip_of([(b"a", 0, b"x", 1)] * 1)[:32] * count
    if kind == "warc":
        return b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 1\r\n\r\nx\r\n\r\n" * count
    if kind == "onenote":
        one = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac") + struct.pack("<QIQ", 1, 0, 0) + b"x".ljust(8, b"\0")
        return bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(1008) + one * count
    if kind == "swf":
        body = documents.flash(*((87, bytes(6) + b"x") for _ in range(count)))
        return documents.flash_head(b"F", body) + body
    if kind == "tnef":
        attribute = struct.pack("<BII", 2, 0x0006800f, 1) + b"x" + struct.pack("<H", ord("x"))
        return struct.pack("<IH", 0x223e9f78, 1) + (struct.pack("<BII", 2, 0x00069002, 14) + bytes(14) + b"\0\0" + attribute) * count
    if kind == "shar":
        return b"#!/bin/sh\n# This is a shell archive\n" + b"".join(
            b"cat > f%d << 'END'\nx\nEND\n" % n for n in range(count))
    if kind == "mbox":
        return b"From a@example.com Sat Nov 21 10:00:00 2026\nFrom: a\nSubject: b\n\nx\n\n" * count
    if kind == "uue":
        return b"Subject: u\r\n\r\n" + b"begin 644 a\r\n!>```\r\n`\r\nend\r\n" * count
    if kind == "yenc":
        return b"Subject: y\r\n\r\n" + b"=ybegin line=128 size=1 name=a\r\n\x8b\r\n=yend size=1\r\n" * count
    if kind == "data-uri":
        return b"<html><body>" + b"<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\">" * count
    if kind == "rtf":
        return b"{\\rtf1" + b"{\\object{\\*\\objdata 0105000002000000}}" * count + b"}"
    if kind == "vcard":
        return b"BEGIN:VCARD\r\nVERSION:3.0\r\n" + b"PHOTO;ENCODING=b:R0lGODlhAQ==\r\n" * count + b"END:VCARD\r\n"
    raise ValueError(kind)


for kind, count in (("tar", 30_000), ("cpio", 100_000), ("ar", 100_000), ("zip-local", 300_000), ("warc", 100_000),
                    ("onenote", 100_000), ("swf", 100_000), ("tnef", 200_000), ("mbox", 100_000), ("uue", 200_000), ("yenc", 200_000),
                    ("rtf", 200_000), ("vcard", 200_000), ("shar", 100_000)):
    BOMBS[f"many-{kind}"] = (functools.partial(members, kind, count), "limit")


def parts(count, body=b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"):
    return (b"Subject: wide\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + body * count + b"--b--\r\n")


BOMBS["mime-1m-parts"] = (lambda: parts(1_000_000), "limit")
BOMBS["mime-1m-parts-base64"] = (lambda: parts(
    1_000_000, b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n"), "limit")
BOMBS["mime-10000-deep"] = (lambda: messages.HEAD + b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(10_000)) + b"\r\nx", "limit")
BOMBS["mime-messages-5000-deep"] = (lambda: b"Subject: a\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"Subject: b\r\n\r\nx", "limit")
BOMBS["mime-1m-fields"] = (lambda: b"X-A: b\r\n" * 1_000_000 + b"\r\nx\r\n", "any")
BOMBS["mime-field-30m"] = (lambda: b"Subject: " + b"x" * 30_000_000 + b"\r\n\r\nx\r\n", "any")
BOMBS["mime-field-folded-10m"] = (lambda: b"Subject: " + b"x\r\n " * 2_500_000 + b"\r\n\r\nx\r\n", "any")
BOMBS["mime-200000-parameters"] = (lambda: (
    b"Subject: p\r\nContent-Type: text/plain; " + b"; ".join(b"a*%d=x" % n for n in range(200_000)) + b"\r\n\r\nx\r\n"), "limit")
BOMBS["mime-comments-1m-deep"] = (lambda: (
    b"Subject: c\r\nContent-Type: multipart/mixed" + b"(" * 1_000_000 + b"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"), "limit")
BOMBS["mime-boundary-everywhere"] = (lambda: (
    b"Subject: b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"-\"\r\n\r\n" + b"---\r\n" * 1_000_000), "any")
BOMBS["mime-encoded-words-8m"] = (lambda: b"Subject: " + b"=?utf-8?q?=41?= " * 500_000 + b"\r\n\r\nx\r\n", "any")
BOMBS["mime-padding-everywhere"] = (lambda: messages.mixed(
    b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"eA==" * 3_000_000), "any")
BOMBS["uue-begin-lines-10m"] = (lambda: b"Subject: u\r\n\r\n" + b"begin 644 a\r\n" * 800_000, "any")
BOMBS["binhex-runs"] = (lambda: b"(This file must be converted with BinHex 4.0)\r\n\r\n:" + b"".join(
    b"!" * 64 + b"\r\n" for _ in range(100_000)) + b":", "any")


@bomb("mime-ambiguous-deep")
def ambiguous():
    """Messages in messages, each with many boundaries and types: every reading of each has others inside."""
    text = b"bottom"
    for level in range(40):
        fields = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d; boundary=c%d; boundary=d%d\r\n" % (level, level, level) for _ in range(3))
        fields += b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 8bit\r\nnot a field\r\n"
        text = (b"Subject: a\r\n" + fields + b"\r\n" + b"".join(
            b"--%c%d\r\nContent-Type: message/rfc822\r\n\r\n" % (letter, level) for letter in b"bcd")
            + text + b"".join(b"\r\n--%c%dx--\r\n" % (letter, level) for letter in b"bcd"))
    return text


@bomb("mime-ambiguous-tree")
def ambiguous_tree():
    """A message of 400 KB which each of its readings cuts at another place, and every part is such a message again."""
    padding = b"x" * 70 + b"\r\n"
    text = padding * 4000
    for level in range(12):
        fields = b"".join(b"Content-Type: multipart/mixed; boundary=%d%c\r\n" % (level, letter) for letter in b"abcd")
        body = b"".join(
            b"--%d%c\r\nContent-Type: message/rfc822\r\n\r\nSubject: %c\r\n" % (level, letter, letter) for letter in b"abcd")
        text = (b"Subject: a\r\nMIME-Version: 1.0\r\n" + fields + b"no field\r\n\r\n" + body + text
                + b"".join(b"\r\n--%d%c and more\r\n%s" % (level, letter, padding * 40) for letter in b"abcd"))
    return text


@bomb("mime-ambiguous-wide")
def ambiguous_wide():
    fields = b"".join(b"Content-Type: multipart/mixed; boundary=%c\r\n" % (97 + n) for n in range(20))
    return b"Subject: a\r\nMIME-Version: 1.0\r\n" + fields + b"\r\n" + b"".join(
        b"--%c\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n" % (97 + n % 20) for n in range(100_000))


BOMBS["zip-directory-20m"] = (lambda: b"PK\1\2" * 5_000_000, "any")
BOMBS["zip-ends-1m"] = (lambda: zip_of([(b"a", 0, b"x", 1)])[:32] + b"PK\5\6" * 1_000_000, "any")
BOMBS["zip-names-64k"] = (lambda: zip_of([(b"../" * 21_845, 0, b"", 0)] * 200), "any")


def forged(tamper):
    made = bytearray(zip_of([(b"a", 8, zlib.compress(b"x" * 1000)[2:-4], 1000)]))
    tamper(made)
    return bytes(made)


BOMBS["zip64-sizes"] = (lambda: forged(lambda made: struct.pack_into("<II", made, 18, 0xffffffff, 0xffffffff)), "any")


@bomb("zip-tricks", "any")
def zip_tricks():
    """Names that leave the folder, devices, links, and names for which other systems have uses."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("../" * 40 + "etc/passwd", "/etc/passwd", "C:\\Windows\\x", "\\\\host\\x", "a\0b", "CON", "aux.txt", "x" * 60000,
                     "\u202egpj.exe", "a/" * 20000 + "b"):
            archive.writestr(zipfile.ZipInfo(name), b"x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
    return out.getvalue()


@bomb("tar-tricks", "any")
def tar_tricks():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind, name, link in ((tarfile.SYMTYPE, "a", "/etc"), (tarfile.LNKTYPE, "a/passwd", "../../../etc/passwd"),
                                 (tarfile.CHRTYPE, "dev", ""), (tarfile.FIFOTYPE, "pipe", ""), (tarfile.SYMTYPE, "loop", "loop"),
                                 (tarfile.DIRTYPE, "../" * 50, ""), (tarfile.LNKTYPE, "self", "self")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info)
    return out.getvalue()


def tar_block(name, size, kind=b"0"):
    block = bytearray(512)
    block[:len(name)] = name
    block[124:136] = b"\x80" + size.to_bytes(11, "big") if size >= 8 ** 11 else b"%011o\0" % size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar  \0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


BOMBS["tar-size-2-60"] = (lambda: tar_block(b"a", 1 << 60) + b"x" * 512, "any")
BOMBS["tar-long-name-4g"] = (lambda: tar_block(b"././@LongLink", 4 << 30, b"L") + b"x" * 65536, "any")
BOMBS["tar-long-names-1m"] = (lambda: (tar_block(b"././@LongLink", 512, b"L") + b"x" * 512) * 20_000, "any")
BOMBS["tar-pax-30m"] = (lambda: tar_block(b"p", 30 * MEGABYTE, b"x") + b"11 path=abc\n" * (30 * MEGABYTE // 12) + bytes(1024), "any")
BOMBS["cpio-name-4g"] = (lambda: b"070701" + b"%08x" * 13 % (1, 0o100644, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xffffffff, 0) + bytes(1000), "any")
BOMBS["xar-listing-1g"] = (lambda: struct.pack(
    ">4sHHQQI", b"xar!", 28, 1, len(deflated_zeros(1024)) + 6, 1 << 30, 0) + b"\x78\xda" + deflated_zeros(1024) + bytes(4), "any")
BOMBS["smime-nested-1m"] = (lambda: b"\x30\x80" * 1_000_000, "any")
BOMBS["smime-sequence-in-sequence"] = (lambda: base64.encodebytes(
    b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" * 200_000), "any")
BOMBS["rtf-groups-10m-deep"] = (lambda: b"{\\rtf1" + b"{" * 10_000_000 + b"\\object\\objdata 01", "any")
BOMBS["rtf-bin-2g"] = (lambda: b"{\\rtf1{\\object{\\*\\objdata" + b"\\bin2147483647 " * 300_000, "any")
BOMBS["html-data-uri-begin-lines"] = (lambda: b"<html>" + b"data:;base64," * 1_000_000, "any")
BOMBS["onenote-sizes"] = (lambda: bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(1008) + (
    bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac") + struct.pack("<QIQ", 1 << 62, 0, 0)) * 100_000, "any")

# Entities: what expands them in a reader is never expanded here.
ENTITIES = b"".join(b"<!ENTITY e%d \"%s\">" % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha") for n in range(20))
BOMBS["xml-entities"] = (lambda: b"<?xml version=\"1.0\"?><!DOCTYPE a [" + ENTITIES + b"]><a>&e19;</a>", "any")
BOMBS["docx-entities"] = (lambda: documents.office({"word/document.xml": BOMBS["xml-entities"][0]()}), "any")
BOMBS["svg-entities"] = (lambda: b"<?xml version=\"1.0\"?><!DOCTYPE svg [" + ENTITIES + b"]><svg xmlns=\"http://www.w3.org/2000/svg\">&e19;</svg>", "any")
BOMBS["html-entities-20m"] = (lambda: b"<html><body>" + b"&#x41;&amp;&lt;" * 1_400_000, "any")


# PDF: structure that leads round or nowhere.
BOMBS["pdf-no-endstream"] = (lambda: b"%PDF-1.5\n" + b"1 0 obj<</Filter/FlateDecode>>stream\n" * 500_000, "any")
BOMBS["pdf-no-endobj"] = (lambda: b"%PDF-1.5\n" + b"1 0 obj<<" * 1_000_000, "any")
BOMBS["pdf-arrays-deep"] = (lambda: b"%PDF-1.5\n1 0 obj" + b"[" * 5_000_000, "any")
BOMBS["pdf-dictionaries-deep"] = (lambda: b"%PDF-1.5\n1 0 obj" + b"<</A" * 2_000_000, "any")
BOMBS["pdf-strings-open"] = (lambda: b"%PDF-1.5\n" + b"1 0 obj<</A(" * 500_000, "any")
BOMBS["pdf-lengths-by-reference"] = (lambda: b"%PDF-1.5\n" + b"".join(
    b"%d 0 obj<</Length %d 0 R>>stream\nx\nendstream endobj\n" % (n, n + 1) for n in range(1, 100_000)), "any")
BOMBS["pdf-filters-by-reference"] = (lambda: b"%PDF-1.5\n" + b"".join(
    b"%d 0 obj<</Filter 99999 0 R/Length 3>>stream\nabc\nendstream endobj\n" % n for n in range(100_000)), "limit")
BOMBS["pdf-streams-without-end"] = (lambda: b"%PDF-1.5\n" + b"1 0 obj<</Length 3>>stream\nabc\n" * 400_000, "any")
BOMBS["pdf-streams-of-the-rest"] = (lambda: b"%PDF-1.5\n" + (
    b"1 0 obj<</Length 2000000000/Filter/FlateDecode>>stream\n" + zlib.compress(b"x" * 1000) + b"\n") * 200_000, "any")
BOMBS["pdf-startxref-cycle"] = (lambda: b"%PDF-1.5\nxref\n0 0\ntrailer<</Prev 9>>\nstartxref\n9\n%%EOF" * 50_000, "any")
BOMBS["pdf-predictor-columns"] = (lambda: documents.simple_pdf([
    b"<</Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 2147483647/Colors 2147483647>>/Length 100>>\nstream\n"
    + zlib.compress(b"x" * 1000) + b"\nendstream"]), "any")
BOMBS["pdf-object-streams-1m"] = (lambda: documents.simple_pdf([
    b"<</Type/ObjStm/N 1000000/First 7000000/Filter/FlateDecode/Length 50000>>\nstream\n"
    + zlib.compress(b"1 0 " * 1_750_000 + b"<<" * 1_000_000) + b"\nendstream"]), "any")


@bomb("pdf-object-streams-in-each-other", "any")
def pdf_object_streams():
    inner = b"<</Type/ObjStm/N 1/First 4>>"
    for _ in range(200):
        text = zlib.compress(b"9 0 " + inner)
        inner = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(text) + text + b"\nendstream"
    return documents.simple_pdf([inner])


@bomb("iso-directory-in-itself", "any")
def iso_itself():
    made = bytearray(archives.FORMATS["iso-bsdtar"][1]("a", b"x"))
    root = struct.unpack_from("<I", made, 32768 + 158)[0] * 2048
    record = bytearray(made[32768 + 156:32768 + 190])
    at = root
    while made[at]:
        at += made[at]
    record[32:34] = b"\1A"
    record[0] = 34
    for _ in range(20):
        made[at:at + 34] = record
        at += 34
    return bytes(made)


@bomb("squashfs-inode-2-60", "any")
def squashfs_large():
    made = bytearray(archives.FORMATS["squashfs-gzip"][1]("a", b"x" * 100_000))
    generator = random.Random(1)
    for _ in range(200):
        made[generator.randrange(96, len(made))] = 0xff
    return bytes(made)


@bomb("7z-empty-files-1m", "any")
def seven_empty():
    """A plain header with a million files that have no content."""
    def number(value):
        return b"\xf0" + struct.pack("<I", value)[:4] if value >= 1 << 28 else b"\xe0" + struct.pack("<I", value)[:3] \
            if value >= 1 << 21 else b"\xc0" + bytes([value & 255, value >> 8 & 255]) if value >= 1 << 14 else bytes([value])
    count = 1_000_000
    names = b"a\0\0\0" * count
    empty = b"\xff" * (count // 8)
    header = (b"\1\5\xe0" + struct.pack("<I", count)[:3] + b"\x0e\xe0" + struct.pack("<I", len(empty))[:3] + empty
              + b"\x11\xe0" + struct.pack("<I", len(names) + 1)[:3] + b"\0" + names + b"\0\0")
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + header


def variations(seed, count):
    """Chains of random formats around a gzip of 4 GB."""
    generator = random.Random(seed)
    labels = ["zip-deflate", "zip-stored", "tar-ustar", "gzip", "xz", "bzip2", "zstd", "7z-lzma2", "mail-base64", "tnef", "rtf",
              "ole-package", "docx-media", "pdf-flate", "html-data-uri", "cab-mszip", "arj", "cpio-newc", "ar-svr4", "mbox"]
    for number in range(count):
        chain = [generator.choice(labels) for _ in range(4)]

        def make(chain=chain):
            data, extension = BOMBS["gzip-members-4g"][0](), "gz"
            for label in chain:
                extension, maker = archives.FORMATS[label]
                data = maker(f"inner.{archives.FORMATS[label][0]}", data)
            return data
        yield f"chain-{number}-" + "+".join(chain), make
