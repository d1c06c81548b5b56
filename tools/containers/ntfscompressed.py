"""Files that NTFS keeps compressed: LZNT1 (Microsoft's [MS-XCA] 2.5), and a record that says so."""

import struct


def chunk(data):
    """At most 4 KiB: literals and copies of what stands before in the chunk; as it is when it does not get shorter."""
    out, items, flags, place, seen = bytearray(), bytearray(), [], 0, {}
    while place < len(data):
        bits = 12
        while place and (place - 1) >> (16 - bits):
            bits -= 1
        start, length = seen.get(data[place:place + 3], -1), 0
        if start >= 0:
            longest = min((1 << bits) + 2, len(data) - place)
            while length < longest and data[start + length] == data[place + length]:
                length += 1
        if length < 3:
            length = 1
            items += data[place:place + 1]
        else:
            items += struct.pack("<H", (place - start - 1) << bits | length - 3)
        flags.append(length > 1)
        for index in range(place, place + length):
            seen[data[index:index + 3]] = index
        place += length
        if len(flags) == 8 or place == len(data):
            out += bytes([sum(flag << bit for bit, flag in enumerate(flags))]) + items
            items, flags = bytearray(), []
    if len(out) < len(data):
        return struct.pack("<H", 0xb000 | len(out) - 1) + out
    return struct.pack("<H", 0x3000 | len(data) - 1) + data


def lznt1(data):
    """What is not a whole chunk is filled with zeros, as Windows has it."""
    return b"".join(chunk(data[at:at + 4096].ljust(4096, b"\0")) for at in range(0, len(data), 4096))


def run(count, distance=None):
    """Clusters one behind another; a hole when they are nowhere."""
    if distance is None:
        return b"\x02" + struct.pack("<H", count)
    return b"\x42" + struct.pack("<Hi", count, distance)


def units(data, cluster, first, power=4):
    """The clusters of a file, from `first` on, and its runs: each unit packed when that saves one, and a hole for zeros."""
    size = cluster << power
    out, runs, before = b"", b"", 0
    for at in range(0, len(data), size):
        unit = data[at:at + size]
        packed = lznt1(unit)
        if len(packed) % cluster:
            packed += bytes(min(2, -len(packed) % cluster))
        count = (len(packed) + cluster - 1) // cluster
        if not any(unit):
            runs += run(1 << power)
            continue
        if count >= 1 << power:
            packed, count = unit, 1 << power
        runs += run(count, first - before)
        if count < 1 << power:
            runs += run((1 << power) - count)
        out += packed.ljust(count * cluster, b"\0")
        before, first = first, first + count
    return out, runs


def compress(image, name, data):
    """Makes a file of a file system compressed, whose clusters lie one behind another and are enough."""
    image = bytearray(image)
    sector, per_cluster = struct.unpack_from("<HB", image, 11)
    cluster = sector * per_cluster
    title = name.encode("utf-16-le")
    record = next(place for place in range(0, len(image), 1024)
                  if image[place:place + 4] == b"FILE" and title in image[place:place + 1024] and b"\x80\0\0\0" in image[place:place + 1024])
    content = image[record:record + 1024]
    for number, end in enumerate((510, 1022)):
        content[end:end + 2] = content[50 + 2 * number:52 + 2 * number]
    place = struct.unpack_from("<H", content, 20)[0]
    while struct.unpack_from("<I", content, place)[0] != 0x80:
        place += struct.unpack_from("<I", content, place + 4)[0]
    runs = place + struct.unpack_from("<H", content, place + 32)[0]
    sizes = content[runs]
    at = runs + 1 + (sizes & 15)
    first = int.from_bytes(content[at:at + (sizes >> 4)], "little", signed=True)
    packed, runs = units(data, cluster, first)
    image[first * cluster:first * cluster + len(packed)] = packed
    allocated = (len(data) + 16 * cluster - 1) // (16 * cluster) * 16 * cluster
    number = struct.unpack_from("<H", content, place + 14)[0]
    made = struct.pack("<IIBBHHHQQHHIQQQQ", 0x80, 0, 1, 0, 72, 1, number, 0, allocated // cluster - 1, 72, 4, 0, allocated, len(data),
                       len(data), len(packed)) + runs + b"\0"
    made += bytes(-len(made) % 8)
    made = made[:4] + struct.pack("<I", len(made)) + made[8:]
    content[place:] = (made + b"\xff\xff\xff\xff").ljust(1024 - place, b"\0")
    struct.pack_into("<I", content, 24, place + len(made) + 8)
    # Each sector ends with the same number; what was there stands in a list.
    for number, end in enumerate((510, 1022)):
        content[50 + 2 * number:52 + 2 * number] = content[end:end + 2]
        content[end:end + 2] = content[48:50]
    image[record:record + 1024] = content
    return bytes(image)
