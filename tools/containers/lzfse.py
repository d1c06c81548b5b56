"""LZVN and LZFSE, as Apple's sources describe them (lzvn_decode_base.c, lzfse_internal.h, lzfse_fse.h)."""

import struct


def items(data, longest, farthest, most_literals):
    """(literals, length of the copy, distance), found by the last place of four bytes."""
    seen, at, start = {}, 0, 0
    while at < len(data):
        place, length = seen.get(data[at:at + 4], -1), 0
        if place >= 0 and at - place <= farthest:
            while length < longest and at + length < len(data) and data[place + length] == data[at + length]:
                length += 1
        if length >= 4:
            yield data[start:at], length, at - place
            for index in range(at, at + length):
                seen[data[index:index + 4]] = index
            at += length
            start = at
        else:
            seen[data[at:at + 4]] = at
            at += 1
            if at - start == most_literals:
                yield data[start:at], 0, 0
                start = at
    if start < len(data):
        yield data[start:], 0, 0


def lzvn(data):
    out, before = bytearray(), 0
    for literals, length, distance in items(data, 271, 65535, 271):
        # More literals than stand before a copy.
        if len(literals) > 3 or not length:
            out += bytes([0xe0, len(literals) - 16]) if len(literals) > 15 else bytes([0xe0 | len(literals)]) if literals else b""
            out += literals
            literals = b""
        if not length:
            continue
        count = len(literals)
        first = min(length, (10, 8, 6, 4)[count])
        if distance == before and not literals and length > 15:
            first = 0
        elif distance == before and count:
            out += bytes([count << 6 | first - 3 << 3 | 6])
        elif distance < 1536:
            out += bytes([count << 6 | first - 3 << 3 | distance >> 8, distance & 255])
        elif distance < 16384:
            first = min(length, 34)
            out += bytes([0xa0 | count << 3 | first - 3 >> 2]) + struct.pack("<H", distance << 2 | first - 3 & 3)
        else:
            out += bytes([count << 6 | first - 3 << 3 | 7]) + struct.pack("<H", distance)
        out += literals
        rest = length - first
        if rest > 15:
            out += bytes([0xf0, rest - 16])
        elif rest:
            out += bytes([0xf0 | rest])
        before = distance
    return bytes(out) + b"\x06" + bytes(7)


STATES = (64, 64, 256, 1024)
L = ([0] * 16 + [2, 3, 5, 8], list(range(16)) + [16, 20, 28, 60])
M = ([0] * 16 + [3, 5, 8, 11], list(range(16)) + [16, 24, 56, 312])
D = ([symbol >> 2 for symbol in range(64)], [(4 + symbol % 4 << (symbol >> 2)) - 4 for symbol in range(64)])
LITERALS = ([0] * 256, list(range(256)))


class Writer:
    """Bits that are read from the end."""

    def __init__(self):
        self.value, self.count = 0, 0

    def put(self, value, bits):
        self.value |= value << self.count
        self.count += bits

    def finish(self):
        size = (self.count + 7) // 8
        return self.value.to_bytes(size, "little"), self.count - 8 * size


def frequencies(symbols, count, states):
    """How many states each symbol has."""
    found = [symbols.count(symbol) for symbol in range(count)]
    total = sum(found)
    if not total:
        return found
    made = [max(1, number * states // total) if number else 0 for number in found]
    while sum(made) != states:
        largest = made.index(max(made))
        made[largest] += 1 if sum(made) < states else -1
    return made


def table(made, states):
    """For each symbol its states: (the state, bits, the first of those that follow)."""
    result, state = {}, 0
    for symbol, count in enumerate(made):
        if not count:
            continue
        width = states.bit_length() - count.bit_length()
        wide = (2 * states >> width) - count
        for index in range(count):
            entry = (state, width, (count + index << width) - states) if index < wide else (state, width - 1, index - wide << width - 1)
            result.setdefault(symbol, []).append(entry)
            state += 1
    return result


def step(code, symbol, following, writer):
    """The state that stands for the symbol and leads to the following one."""
    for state, bits, first in code[symbol]:
        if first <= following < first + (1 << bits):
            writer.put(following - first, bits)
            return state
    raise ValueError("no state")


def symbol_of(value, bases):
    return max(symbol for symbol, base in enumerate(bases) if base <= value)


def block(data, some, packed_header=True):
    """One block with codes: `some` items."""
    literals = b"".join(item[0] for item in some)
    literals += bytes(-len(literals) % 4)
    values = [[len(item[0]) for item in some], [item[1] for item in some], [item[2] or 1 for item in some]]
    # The same distance as before is 0.
    values[2] = [0 if index and value == values[2][index - 1] else value for index, value in enumerate(values[2])]
    kinds = (L, M, D)
    symbols = [[symbol_of(value, bases) for value in column] for column, (_, bases) in zip(values, kinds)] + [list(literals)]
    made = [frequencies(column, len(kind[0]), states) for column, kind, states in zip(symbols, kinds + (LITERALS,), STATES)]
    codes = [table(counts, states) for counts, states in zip(made, STATES)]
    writer, state = Writer(), [0] * 4
    for index in reversed(range(len(literals))):
        state[index % 4] = step(codes[3], literals[index], state[index % 4], writer)
    literal_bytes, literal_bits = writer.finish()
    # Readers look eight bytes at a time.
    literal_bytes = literal_bytes.rjust(max(8, len(literal_bytes)), b"\0")
    writer, states = Writer(), [0] * 3
    for index in reversed(range(len(some))):
        for kind in (2, 1, 0):
            symbol = symbols[kind][index]
            bits, bases = kinds[kind]
            writer.put(values[kind][index] - bases[symbol], bits[symbol])
            states[kind] = step(codes[kind], symbol, states[kind], writer)
    match_bytes, match_bits = writer.finish()
    match_bytes = match_bytes.rjust(max(8, len(match_bytes)), b"\0")
    flat = sum(made, [])
    if not packed_header:
        head = b"bvx1" + struct.pack("<6Ii4HiHHH", len(data), len(literal_bytes) + len(match_bytes), len(literals), len(some), len(literal_bytes),
                                     len(match_bytes), literal_bits, *state, match_bits, *states)
        return head + struct.pack("<360H", *flat) + bytes(2) + literal_bytes + match_bytes
    writer = Writer()
    for value in flat:
        if value < 2:
            writer.put((0, 2)[value], 2)
        elif value < 4:
            writer.put((1, 5)[value - 2], 3)
        elif value < 8:
            writer.put(3 | value - 4 << 3, 5)
        elif value < 24:
            writer.put(7 | value - 8 << 4, 8)
        else:
            writer.put(15 | value - 24 << 4, 14)
    counts = writer.finish()[0]
    head = b"bvx2" + struct.pack("<IQQQ", len(data), len(literals) | len(literal_bytes) << 20 | len(some) << 40 | literal_bits + 7 << 60,
                                 state[0] | state[1] << 10 | state[2] << 20 | state[3] << 30 | len(match_bytes) << 40 | match_bits + 7 << 60,
                                 32 + len(counts) | states[0] << 32 | states[1] << 42 | states[2] << 52)
    return head + counts + literal_bytes + match_bytes


def lzfse(data, kinds=("bvx2",)):
    """A stream of blocks of the given kinds in turn, each of some of the data, which copies reach over."""
    out, part = b"", (len(data) + len(kinds) - 1) // len(kinds) or 1
    for index, kind in enumerate(kinds):
        piece = data[index * part:(index + 1) * part]
        if not piece:
            continue
        if kind == "bvx-":
            out += b"bvx-" + struct.pack("<I", len(piece)) + piece
        elif kind == "bvxn":
            packed = lzvn(piece)
            out += b"bvxn" + struct.pack("<II", len(piece), len(packed)) + packed
        else:
            some = list(items(piece, 2000, 200_000, 300))
            for start in range(0, len(some), 100):
                group = some[start:start + 100]
                out += block(bytes(sum(len(literals) + length for literals, length, _ in group)), group, kind == "bvx2")
    return out + b"bvx$"
