"""The first methods of ZIP and of LHA, which nothing writes any more: shrunk and reduced data (APPNOTE.TXT 5.1 and 5.2),
the growing Huffman code of -lh1-, and the rings of LArc (-lzs-, -lz5-)."""

import io
import struct
import zipfile
import zlib

from archives import format


class Bits:
    """Numbers of some bits, the lowest first."""

    def __init__(self):
        self.bytes, self.value, self.count = bytearray(), 0, 0

    def put(self, value, size):
        self.value |= value << self.count
        self.count += size
        while self.count >= 8:
            self.bytes.append(self.value & 255)
            self.value >>= 8
            self.count -= 8

    def done(self):
        return bytes(self.bytes) + (bytes([self.value]) if self.count else b"")


def shrunk(data):
    """LZW; when all 8,192 codes are used, those that nothing is built upon are forgotten."""
    bits, size, parents, codes = Bits(), 9, {}, {}

    def put(code):
        nonlocal size
        while code >= 1 << size:
            bits.put(256, size)
            bits.put(1, size)
            size += 1
        bits.put(code, size)

    newest, current = 256, data[0]
    for byte in data[1:]:
        if (current, byte) in codes:
            current = codes[current, byte]
            continue
        put(current)
        free = next((code for code in range(newest + 1, 8192) if code not in parents), None)
        if free is None:
            bits.put(256, size)
            bits.put(2, size)
            continued = {parent for parent, _ in parents.values()}
            for code in [code for code in parents if code not in continued]:
                codes.pop(parents.pop(code), None)
            free = next(code for code in range(257, 8192) if code not in parents)
        parents[free] = (current, byte)
        if current < 256 or current in parents:
            codes[current, byte] = free
        newest, current = free, byte
    put(current)
    return bits.done()


def reduced(data, factor):
    """Copies of what came before, and then short codes for bytes that often follow another one."""
    low = 8 - factor
    longest = (1 << low) - 1
    out, index, seen = bytearray(), 0, {}
    while index < len(data):
        place = seen.get(data[index:index + 4], -1)
        length = 0
        if place >= 0 and index - place <= 1 << (8 + factor):
            while index + length < len(data) and length < longest + 258 and data[place + length] == data[index + length]:
                length += 1
        if length > 4:
            distance, count = index - place - 1, length - 3
            first = (distance >> 8) << low | min(count, longest)
            if first:
                out += bytes([0x90, first])
                if count >= longest:
                    out.append(count - longest)
                out.append(distance & 255)
                for step in range(length):
                    seen[data[index + step:index + step + 4]] = index + step
                index += length
                continue
        out.append(data[index])
        if data[index] == 0x90:
            out.append(0)
        seen[data[index:index + 4]] = index
        index += 1
    counts = [{} for _ in range(256)]
    for first, second in zip(b"\0" + out, out):
        counts[first][second] = counts[first].get(second, 0) + 1
    followers = [sorted(count, key=lambda byte: (-count[byte], byte))[:32] for count in counts]
    bits = Bits()
    for byte in range(255, -1, -1):
        bits.put(len(followers[byte]), 6)
        for follower in followers[byte]:
            bits.put(follower, 8)
    last = 0
    for byte in out:
        some = followers[last]
        if some and byte in some:
            bits.put(0, 1)
            bits.put(some.index(byte), max(1, (len(some) - 1).bit_length()))
        else:
            if some:
                bits.put(1, 1)
            bits.put(byte, 8)
        last = byte
    return bits.done()


def entry(method, name, data, packed):
    """An archive of one file; Python's own writer knows neither method."""
    title = name.encode()
    head = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x5c21, zlib.crc32(data), len(packed), len(data), len(title), 0)
    local = b"PK\3\4" + head + title + packed
    central = b"PK\1\2\x14\0" + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + title
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


@format("zip-shrink", "zip")
def zip_shrink(name, data):
    return entry(1, name, data, shrunk(data))


@format("zip-reduce", "zip")
def zip_reduce(name, data):
    return entry(5, name, data, reduced(data, 4))


@format("zip-reduce-1", "zip")
def zip_reduce_1(name, data):
    return entry(2, name, data, reduced(data, 1))


class Tree:
    """The code of 256 literals and 58 lengths, which counts every symbol: nodes in the order of their counts, the root
    last."""

    def __init__(self):
        self.counts, self.below, self.above = [1] * 314, [("leaf", symbol) for symbol in range(314)], [None] * 627
        self.leaves = list(range(314))
        for first in range(0, 626, 2):
            self.counts.append(self.counts[first] + self.counts[first + 1])
            self.below.append(("pair", first))
            self.above[first] = self.above[first + 1] = len(self.counts) - 1

    def code(self, symbol):
        """The bits from the root down."""
        bits, node = [], self.leaves[symbol]
        while node != 626:
            bits.append(node & 1)
            node = self.above[node]
        return bits[::-1]

    def tell(self, node):
        kind, what = self.below[node]
        if kind == "leaf":
            self.leaves[what] = node
        else:
            self.above[what] = self.above[what + 1] = node

    def count(self, symbol):
        if self.counts[626] == 0x8000:
            self.halve()
        node = self.leaves[symbol]
        while node is not None:
            last = max(n for n in range(node, 627) if self.counts[n] == self.counts[node])
            if last != node:
                self.below[node], self.below[last] = self.below[last], self.below[node]
                self.tell(node)
                self.tell(last)
                node = last
            self.counts[node] += 1
            node = self.above[node] if node != 626 else None

    def halve(self):
        nodes = [((count + 1) // 2, below) for count, below in zip(self.counts, self.below) if below[0] == "leaf"]
        for pair in range(313):
            total = nodes[2 * pair][0] + nodes[2 * pair + 1][0]
            place = len(nodes)
            while nodes[place - 1][0] > total:
                place -= 1
            nodes.insert(place, (total, ("pair", 2 * pair)))
        self.counts, self.below = [count for count, _ in nodes], [below for _, below in nodes]
        for node in range(627):
            self.tell(node)


def grown(data):
    """-lh1-: literals, and copies of up to 60 bytes from the 4,096 before."""
    lengths = [3] + [4] * 3 + [5] * 8 + [6] * 12 + [7] * 24 + [8] * 16
    codes, code = [], 0
    for length in lengths:
        codes.append(code >> (16 - length))
        code += 1 << (16 - length)
    tree, bits, index, seen = Tree(), [], 0, {}

    def put(symbol):
        bits.extend(tree.code(symbol))
        tree.count(symbol)

    while index < len(data):
        place = seen.get(data[index:index + 3], -1)
        seen[data[index:index + 3]] = index
        if place >= 0 and index - place <= 4096:
            length = 3
            while length < 60 and index + length < len(data) and data[place + length] == data[index + length]:
                length += 1
            if index + length <= len(data):
                distance = index - place - 1
                put(253 + length)
                high = distance >> 6
                bits.extend(codes[high] >> bit & 1 for bit in range(lengths[high] - 1, -1, -1))
                bits.extend(distance >> bit & 1 for bit in range(5, -1, -1))
                index += length
                continue
        put(data[index])
        index += 1
    bits += [0] * (-len(bits) % 8)
    return bytes(int("".join(map(str, bits[at:at + 8])), 2) for at in range(0, len(bits), 8))


def lha(method, packed, name, data):
    """An archive with a header of level 0."""
    title, crc = name.encode(), 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xa001 if crc & 1 else crc >> 1
    body = (b"-" + method + b"-" + struct.pack("<IIIBBB", len(packed), len(data), 0x5c210000, 0x20, 0, len(title)) + title
            + struct.pack("<H", crc))
    return bytes([len(body), sum(body) & 255]) + body + packed + b"\0"


@format("lha-lh1", "lzh")
def lha_lh1(name, data):
    return lha(b"lh1", grown(data), name, data)


def ring_items(data, ring, first, before, shortest, longest):
    """Literals, and (place, length) in a ring that begins with something."""
    place_of, index = {}, 0
    whole = before + data
    for start in range(len(before) - shortest):
        place_of[whole[start:start + shortest]] = start
    while index < len(data):
        at = index + len(before)
        start = place_of.get(whole[at:at + shortest], -1)
        length = 0
        # What is overwritten in the ring is gone.
        if start >= 0 and at - start <= ring - longest:
            while length < longest and at + length < len(whole) and whole[start + length] == whole[at + length]:
                length += 1
        if length >= shortest:
            yield (first + start - len(before)) % ring, length
        else:
            length = 1
            yield data[index]
        for step in range(length):
            place_of[whole[at + step:at + step + shortest]] = at + step
        index += length


@format("lha-lzs", "lzs")
def lha_lzs(name, data):
    bits = ""
    for item in ring_items(data, 2048, 2048 - 17, b" " * 2000, 3, 17):
        bits += f"1{item:08b}" if isinstance(item, int) else f"0{item[0]:011b}{item[1] - 2:04b}"
    bits += "0" * (-len(bits) % 8)
    return lha(b"lzs", bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8)), name, data)


@format("lha-lz5", "lzs")
def lha_lz5(name, data):
    before = (b"".join(bytes([byte]) * 13 for byte in range(256)) + bytes(range(256)) + bytes(range(255, -1, -1)) + bytes(128)
              + b" " * 110)
    packed, items = b"", list(ring_items(data, 4096, 4096 - 18, before, 3, 18))
    for start in range(0, len(items), 8):
        flags, body = 0, b""
        for bit, item in enumerate(items[start:start + 8]):
            if isinstance(item, int):
                flags |= 1 << bit
                body += bytes([item])
            else:
                body += bytes([item[0] & 255, item[0] >> 4 & 0xf0 | item[1] - 3])
        packed += bytes([flags]) + body
    return lha(b"lz5", packed, name, data)
