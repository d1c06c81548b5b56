"""The files that signatures are put into: the smallest ones that count as their target type."""

import struct

from patterns import Unmakeable

BINARY = bytes(range(0x81, 0xff))
TEXT = b" \n"


class Host:
    """A file under construction. Parts with a place are written there, the others where there is room."""

    def __init__(self, data, room, fill, entry=0, sections=(), tail=b""):
        self.data = bytearray(data)
        self.taken = bytearray(len(data))
        self.room = room
        self.fill = fill
        self.entry = entry
        self.sections = sections
        self.tail = tail
        self.grows = not sections

    def place(self, data, offset, rng):
        base, number, section, shift = offset
        if base == "any":
            return self.anywhere(data, rng)
        if base == "start":
            at = number
        elif base == "end":
            at = len(self.data) - number
        elif base == "entry":
            at = self.entry + number
        elif base in ("section", "within", "last"):
            if base == "last":
                section = len(self.sections) - 1
            if section >= len(self.sections):
                raise Unmakeable("more sections than the made file has")
            start, size = self.sections[section]
            at = start + (number if base != "within" else rng.randint(0, max(0, min(64, size - len(data)))))
        at += rng.randint(0, shift) if shift else 0
        self.write(at, data)

    def write(self, at, data):
        if at < 0:
            raise Unmakeable("a place before the file's beginning")
        if at + len(data) > len(self.data):
            self.extend(at + len(data) - len(self.data))
        for index, byte in enumerate(data):
            if self.taken[at + index] and self.data[at + index] != byte:
                raise Unmakeable("parts for the same place")
            self.data[at + index] = byte
            self.taken[at + index] = 1

    def extend(self, count):
        self.data += bytes(self.fill[i % len(self.fill)] for i in range(count))
        self.taken += bytes(count)

    def anywhere(self, data, rng):
        at = self.room
        for _ in range(200_000):
            if at + len(data) > len(self.data):
                self.extend(at + len(data) - len(self.data) + 8)
            used = self.taken.find(1, at, at + len(data))
            if used < 0:
                break
            at = used + 1
        # A byte between two parts, so that they do not touch.
        gap = rng.randint(1, 9)
        if not any(self.taken[at:at + gap + len(data)]):
            at += gap
        self.write(at, data)

    def finished(self, low=0, high=None):
        if len(self.data) < low:
            self.extend(low - len(self.data))
        if high is not None and len(self.data) > high:
            raise Unmakeable("larger than FileSize allows")
        return bytes(self.data)


def portable_executable(size):
    sections, raw = [], 0x400
    each = max(0x1000, (size + 0xfff) & ~0xfff)
    count = 6
    head = bytearray(b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40))
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, count, 0, 0, 0, 0xe0, 0x102)
    head += struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10b, 6, 0, each, each, 0, 0x1000, 0x1000, 0x2000, 0x400000,
                        0x1000, 0x200, 4, 0, 0, 0, 4, 0, 0, 0x1000 + count * each, 0x400, 0, 2, 0, 0x100000, 0x1000,
                        0x100000, 0x1000, 0, 16) + bytes(128)
    for index in range(count):
        head += struct.pack("<8sIIIIIIHHI", b".s%d" % index, each, 0x1000 + index * each, each, raw + index * each,
                            0, 0, 0, 0, 0x60000020)
        sections.append((raw + index * each, each))
    data = bytes(head) + bytes(raw - len(head)) + bytes(BINARY[i % len(BINARY)] for i in range(count * each))
    host = Host(data, raw + each + 0x40, BINARY, entry=raw, sections=sections)
    for at in list(range(2)) + list(range(0x3c, 0x40)) + list(range(0x80, len(head))):
        host.taken[at] = 1
    return host


def elf(size):
    each = max(0x1000, size)
    head = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x8048080, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    head += struct.pack("<IIIIIIII", 1, 0, 0x8048000, 0x8048000, 0x80 + each, 0x80 + each, 5, 0x1000)
    data = head + bytes(0x80 - len(head)) + bytes(BINARY[i % len(BINARY)] for i in range(each))
    host = Host(data, 0x100, BINARY, entry=0x80)
    for at in range(len(head)):
        host.taken[at] = 1
    return host


def plain(head, room, fill, size=256):
    data = head + bytes(fill[i % len(fill)] for i in range(max(0, size - len(head))))
    host = Host(data, max(room, len(head)), fill)
    for at in range(len(head)):
        host.taken[at] = 1
    return host


def for_target(target, size):
    if target == 0:
        return Host(bytes(BINARY[i % len(BINARY)] for i in range(64)), 16, BINARY)
    if target == 1:
        return portable_executable(size)
    if target == 2:
        head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3e, 3, 0xfffe, 9, 6)
        return plain(head + bytes(10) + struct.pack("<IIIIIIIII", 1, 0, 0, 4096, 0xfffffffe, 0, 0xfffffffe, 0, 0)
                     + b"\xff" * 436, 0x200, BINARY, 2048)
    if target == 3:
        return plain(b"<html>\n<body>\n", 14, TEXT, 64)
    if target == 4:
        return plain(b"Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\nFrom: a@example.com\nTo: b@example.com\n"
                     b"Subject: test\n\nbody\n", 120, TEXT, 200)
    if target == 5:
        return plain(b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff", 32, BINARY, 128)
    if target == 6:
        return elf(size)
    if target == 7:
        host = plain(b"some plain words of text at the beginning\n", 48, TEXT, 80)
        # Any text is one: a part may stand at its beginning.
        host.taken = bytearray(len(host.data))
        return host
    if target == 9:
        return plain(b"\xce\xfa\xed\xfe\x07\0\0\0\x03\0\0\0\x02\0\0\0" + bytes(12), 64, BINARY)
    if target == 10:
        return plain(b"%PDF-1.4\n", 16, TEXT)
    if target == 11:
        return plain(b"FWS\x06" + struct.pack("<I", 256) + b"\x78\0\x05\x5f\0\0\x0f\xa0\0\0\x0c\x01\0", 32, BINARY)
    if target == 12:
        return plain(b"\xca\xfe\xba\xbe\0\0\x00\x34\0\x01", 32, BINARY)
    raise Unmakeable(f"target {target}")
