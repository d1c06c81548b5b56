"""Pictures that look as a hash of signatures says: its bits are the signs of the lowest frequencies."""

import math
import struct
import zlib

SIDE, KEPT = 32, 8


def picture(digits, rng=None):
    """A PNG file with that hash (16 hexadecimal digits); with `rng`, one in which two of its bits are exchanged."""
    bits = [int(digits, 16) >> (63 - n) & 1 for n in range(64)]
    if rng:
        # As many above the median as before.
        one, zero = (rng.choice([n for n in range(1, 64) if bits[n] == value]) for value in (1, 0))
        bits[one], bits[zero] = 0, 1
    wave = [[math.cos((2 * x + 1) * u * math.pi / (2 * SIDE)) for x in range(SIDE)] for u in range(KEPT)]
    rows = bytearray()
    for y in range(SIDE):
        rows.append(0)
        for x in range(SIDE):
            value = 128.0
            for u in range(KEPT):
                for v in range(KEPT):
                    if u or v:
                        value += (1.6 if bits[KEPT * u + v] else -1.6) * wave[u][y] * wave[v][x]
            rows.append(max(0, min(255, round(value))))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))
