"""HFS+ and HFSX file systems (Apple's Technical Note TN1150), as fsck.hfsplus finds them in order; no free tool of Linux writes
files into one without mounting it."""

import base64
import struct
import zlib

import lzfse

ROOT = 2


def fork(size, blocks, extents, clump):
    first = (extents + [(0, 0)] * 8)[:8]
    return struct.pack(">QII", size, clump, blocks) + b"".join(struct.pack(">II", *extent) for extent in first)


def key(parent, name):
    encoded = name.encode("utf-16-be")
    return struct.pack(">HIH", 6 + len(encoded), parent, len(encoded) // 2) + encoded


def thread(kind, parent, name):
    encoded = name.encode("utf-16-be")
    return struct.pack(">HHIH", kind, 0, parent, len(encoded) // 2) + encoded


def tree(records, node, attributes, longest, compare=0, spare=0):
    """The nodes of a B-tree: its header, leaves, and the nodes above them; `records` are (key, content) in order."""
    def packed(records, kind, height, before, after):
        body, places = b"", []
        for record in records:
            places.append(14 + len(body))
            body += record
        places.append(14 + len(body))
        made = struct.pack(">IIbBHH", after, before, kind, height, len(records), 0) + body
        return made.ljust(node - 2 * len(places), b"\0") + struct.pack(f">{len(places)}H", *reversed(places))

    def split(records):
        groups = []
        for first, record in records:
            if not groups or sum(len(r) + 2 for _, r in groups[-1]) + len(record) + 2 + 16 > node:
                groups.append([])
            groups[-1].append((first, record))
        return groups

    nodes, level, height = [b""], [(first, first + content) for first, content in records], 0
    leaves = (0, 0)
    while level and (height == 0 or len(level) > 1):
        height += 1
        groups, above = split(level), []
        for index, group in enumerate(groups):
            number = len(nodes)
            nodes.append(packed([record for _, record in group], -1 if height == 1 else 0, height,
                                number - 1 if index else 0, number + 1 if index + 1 < len(groups) else 0))
            above.append((group[0][0], group[0][0] + struct.pack(">I", number)))
        if height == 1:
            leaves = (1, len(nodes) - 1)
        level = above
    root = len(nodes) - 1 if records else 0
    used = len(nodes)
    nodes += [bytes(node)] * spare
    head = struct.pack(">HIIIIHHIIHIBBI", height, root, len(records), *leaves, node, longest, len(nodes), spare, 0, node, 0, compare,
                       attributes).ljust(106, b"\0")
    bits = bytearray(node - 256)
    for number in range(used):
        bits[number // 8] |= 0x80 >> number % 8
    nodes[0] = (struct.pack(">IIbBHH", 0, 0, 1, 0, 3, 0) + head + bytes(128) + bytes(bits)
                + struct.pack(">HHHH", node - 8, 248, 120, 14))
    return b"".join(nodes)


def compressed_resources(data, stored=False):
    """A resource fork with blocks of 64 KiB in zlib, or as they are."""
    blocks = [data[at:at + 65536] for at in range(0, len(data), 65536)]
    packed = [b"\xff" + block if stored else zlib.compress(block) for block in blocks]
    table, place = struct.pack("<I", len(blocks)), 4 + 8 * len(blocks)
    for block in packed:
        table += struct.pack("<II", place, len(block))
        place += len(block)
    resource = table + b"".join(packed)
    resource = struct.pack(">I", len(resource)) + resource
    names = bytes(24) + struct.pack(">HHH4sHHHHIII", 28, 50, 0, b"cmpf", 0, 10, 1, 0xffff, 0, 0, 0)[:26]
    return struct.pack(">IIII", 256, 256 + len(resource), len(resource), len(names)).ljust(256, b"\0") + resource + names


def decmpfs(kind, data):
    """The attribute of a compressed file, and its resource fork."""
    head = b"fpmc" + struct.pack("<IQ", kind & 0xff, len(data))
    if kind == 1:
        return head + data, b""
    if kind & 0xff == 3:
        return head + (b"\xff" + data if kind > 255 else zlib.compress(data)), b""
    if kind & 0xff == 4:
        return head, compressed_resources(data, kind > 255)
    if kind & 0xff in (7, 8, 11, 12):
        pack = lzfse.lzvn if kind & 0xff < 11 else lambda some: lzfse.lzfse(some, ("bvx2",) if kind & 1 else ("bvx2", "bvxn", "bvx1", "bvx-"))
        blocks = [b"\x06" + data[at:at + 65536] if kind > 255 else pack(data[at:at + 65536]) for at in range(0, len(data), 65536)]
        if kind & 1:
            return head + blocks[0], b""
        places = [4 * (len(blocks) + 1)]
        for packed in blocks:
            places.append(places[-1] + len(packed))
        return head, struct.pack(f"<{len(places)}I", *places) + b"".join(blocks)
    return head + data, b""


class File:
    def __init__(self, name, data=b"", resources=b"", compression=0, pieces=1, link=0, forks=None):
        """`pieces`: of how many runs of blocks each fork is; `compression`: a kind of decmpfs, 256 more to store; `forks`: what
        the catalog says of both, whatever there is."""
        self.name, self.data, self.resources, self.compression = name, data, resources, compression
        self.pieces, self.link, self.forks = pieces, link, forks


def hfsplus(files, block=512, node=512, signature=b"H+", volume="disk", broken_tree=False, tree_pieces=1):
    """A file system with these files in its root folder. With nodes of 512 bytes it is less than Apple's program would make."""
    bitmap, area = set(), {}
    reserved = (1024 + 512 + block - 1) // block
    bitmap.update(range(reserved))
    state = {"next": reserved}

    def store(data, pieces=1):
        """Writes some data; its runs of blocks, with a free block between them."""
        count = (len(data) + block - 1) // block
        runs, done = [], 0
        for piece in range(pieces):
            length = count * (piece + 1) // pieces - count * piece // pieces
            if not length:
                continue
            start = state["next"]
            runs.append((start, length))
            for index in range(length):
                area[start + index] = data[(done + index) * block:(done + index + 1) * block].ljust(block, b"\0")
                bitmap.add(start + index)
            done += length
            state["next"] += length + (1 if pieces > 1 else 0)
        return runs

    overflow, catalog, attributes = [], [], []

    def fork_of(content, kind, number, pieces, clump=0):
        runs = store(content, pieces)
        before = sum(length for _, length in runs[:8])
        for start in range(8, len(runs), 8):
            some = (runs[start:start + 8] + [(0, 0)] * 8)[:8]
            overflow.append((struct.pack(">HBBII", 10, kind, 0, number, before), (number, kind, before),
                             b"".join(struct.pack(">II", *run) for run in some)))
            before += sum(length for _, length in some)
        return fork(len(content), sum(length for _, length in runs), runs, clump)

    catalog.append((key(1, volume), (1, volume.lower()), struct.pack(">HHIIIIIII", 1, 0, len(files), ROOT, 0, 0, 0, 0, 0)
                    + struct.pack(">IIBBHI", 0, 0, 0, 0, 0o40755, 0) + bytes(16) + bytes(16) + struct.pack(">II", 0, 0)))
    catalog.append((key(ROOT, ""), (ROOT, ""), thread(3, 1, volume)))
    for number, file in enumerate(files, 16):
        data, resources, flags = file.data, file.resources, 0
        if file.compression:
            attribute, packed = decmpfs(file.compression, data)
            resources = resources or packed
            data, flags = b"", 0x20
            name = "com.apple.decmpfs".encode("utf-16-be")
            attributes.append((struct.pack(">HHIIH", 12 + len(name), 0, number, 0, len(name) // 2) + name,
                               struct.pack(">IIII", 0x10, 0, 0, len(attribute)) + attribute + bytes(len(attribute) % 2)))
        forks = file.forks or fork_of(data, 0, number, file.pieces) + fork_of(resources, 0xff, number, file.pieces)
        finder = b"hlnkhfs+" if file.link else bytes(8)
        catalog.append((key(ROOT, file.name), (ROOT, file.name.lower()),
                        struct.pack(">HHIIIIIII", 2, 2, 0, number, 0, 0, 0, 0, 0)
                        + struct.pack(">IIBBHI", 0, 0, 0, flags, 0o100644, file.link or 1) + finder + bytes(8) + bytes(16)
                        + struct.pack(">II", 0, 0) + forks))
        catalog.append((key(number, ""), (number, ""), thread(4, ROOT, file.name)))
    catalog.sort(key=lambda record: record[1])
    compare = 0xcf if signature == b"HX" else 0
    made = tree([(first, content) for first, _, content in catalog], node, 6, 516, compare)
    if broken_tree:
        # The root is nowhere; the leaves are there.
        made = made[:16] + b"\xff" * 4 + made[20:]
    forks = fork_of(made, 0, 4, tree_pieces, node)
    forks += fork_of(tree(attributes, node, 6, 266) if attributes else b"", 0, 8, tree_pieces, node)
    overflow.sort(key=lambda record: record[1])
    forks = fork_of(tree([(first, content) for first, _, content in overflow], node, 2, 10), 0, 3, 1, node) + forks
    # The map of blocks comes last, and counts itself and the second header.
    total = state["next"]
    while True:
        size = (total + 7) // 8
        wanted = state["next"] + (size + block - 1) // block + (1024 + block - 1) // block
        if total >= wanted:
            break
        total = wanted
    size = (total + 7) // 8
    first = state["next"]
    blocks = (size + block - 1) // block
    bitmap.update(range(first, first + blocks))
    bitmap.update(range(total - (1024 + block - 1) // block, total))
    bits = bytearray(blocks * block)
    for number in bitmap:
        bits[number // 8] |= 0x80 >> number % 8
    for index in range(blocks):
        area[first + index] = bytes(bits[index * block:(index + 1) * block])
    header = signature + struct.pack(">HII", 5 if signature == b"HX" else 4, 1 << 8, 0x31302e30) + struct.pack(">I", 0)
    header += struct.pack(">IIII", 0, 0, 0, 0) + struct.pack(">II", len(files), 0)
    header += struct.pack(">IIIIIII", block, total, total - len(bitmap), total - 1, block, block, 16 + len(files))
    header += struct.pack(">IQ", 1, 1) + bytes(32)
    header += fork(blocks * block, blocks, [(first, blocks)], block)
    header += forks
    header = header.ljust(512, b"\0")
    image = bytearray(total * block)
    for number, content in area.items():
        image[number * block:(number + 1) * block] = content
    image[1024:1536] = header
    image[-1024:-512] = header
    return bytes(image)


def wrapped(image, block=512):
    """A file system of HFS that has nothing but the one of HFS+ in it."""
    head = bytearray(2048)
    struct.pack_into(">H", head, 1024, 0x4244)
    struct.pack_into(">IH", head, 1024 + 20, block, 4)
    struct.pack_into(">H", head, 1024 + 28, 4)
    struct.pack_into(">HHH", head, 1024 + 124, 0x482b, 1, len(image) // block)
    return bytes(head) + bytes(block) + image


def partition_map(image, block=512):
    """A disk with an Apple partition map: the map itself, the file system, and what is free."""
    parts = [(b"Apple_partition_map", 1, 3), (b"Apple_HFS", 4, len(image) // block), (b"Apple_Free", 4 + len(image) // block, 1)]
    disk = struct.pack(">2sHI", b"ER", block, 5 + len(image) // block).ljust(block, b"\0")
    for kind, start, count in parts:
        disk += (struct.pack(">2sHIII", b"PM", 0, len(parts), start, count) + b"part".ljust(32, b"\0") + kind).ljust(block, b"\0")
    return disk + image + bytes(block)


def disk_image(image, kinds=()):
    """What macOS programs come in: a UDIF image with a file system in zlib, or in blocks of LZFSE."""
    packed = lzfse.lzfse(image, kinds) if kinds else zlib.compress(image)
    runs = [(0x80000007 if kinds else 0x80000005, 0, len(image) // 512, 0, len(packed)), (0xffffffff, len(image) // 512, 0, len(packed), 0)]
    blocks = (b"mish" + struct.pack(">IQQQ", 1, 0, len(image) // 512, 0)).ljust(200, b"\0") + struct.pack(">I", len(runs))
    for kind, first, count, offset, size in runs:
        blocks += struct.pack(">IIQQQQ", kind, 0, first, count, offset, size)
    listed = (b'<?xml version="1.0"?><plist version="1.0"><dict><key>resource-fork</key><dict><key>blkx</key><array><dict>'
              b"<key>Name</key><string>disk image (Apple_HFS : 1)</string><key>Data</key><data>\n" + base64.encodebytes(blocks)
              + b"</data></dict></array></dict></dict></plist>")
    trailer = bytearray(512)
    struct.pack_into(">4sIIIQQQ", trailer, 0, b"koly", 4, 512, 1, 0, 0, len(packed))
    struct.pack_into(">QQ", trailer, 216, len(packed), len(listed))
    struct.pack_into(">Q", trailer, 492, len(image) // 512)
    return packed + listed + bytes(trailer)
