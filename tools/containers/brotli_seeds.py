"""Brotli for the fuzzers: each quality and window, what the encoder does with noise, dictionary words, and blocks by hand (RFC 7932)."""

import functools
import zlib

from seeds import TEXT, conditions, seed
from tool import run

NOISE = b"".join(zlib.crc32(number.to_bytes(2, "little")).to_bytes(4, "little") for number in range(200))
# Words of the dictionary, as they are and changed.
WORDS = b"The government of the United States. Internet Explorer, Copyright 2026; <div class=\"navigation\"> MANAGEMENT, Management, management ="
# Behind a window of 64 KiB: five bytes that are skipped, then an empty last block; and four bytes as they are.
SKIPPED, PLAIN = b"\x2c\x02hello\x03", b"\x30\0\x08abcd\x03"


def packed(data, *options):
    return run(["brotli", "-c", *options], data=data)


for name, made in {
    **{f"quality-{quality}": functools.partial(packed, WORDS + TEXT * 3, "-q", str(quality)) for quality in range(12)},
    **{f"window-{window}": functools.partial(packed, TEXT * 5, "-w", str(window)) for window in range(10, 25)},
    "window-large": lambda: packed(TEXT * 5, "--large_window=28"), "noise": lambda: packed(NOISE, "-q", "0"),
    "noise-best": lambda: packed(NOISE + WORDS + NOISE), "empty": lambda: packed(b""), "long": lambda: packed(TEXT * 2000),
    "behind": lambda: packed(TEXT) + b"something else", "skipped": lambda: SKIPPED, "plain": lambda: PLAIN, "reserved": lambda: b"\x3c\x02",
    "window-reserved": lambda: b"\x11", "damaged": lambda: packed(WORDS)[:20] + b"\xff" * 40, "none": lambda: b"no Brotli at all", "nothing": lambda: b"",
}.items():
    seed("BROTLI", name)(made)
    for ending, values in {"br": {"name": b"page.html.br"}, "declared": {"declared": b"Application/Brotli"}, "x": {"declared": b"application/x-brotli"}}.items():
        seed("BROTLI", f"{name}-{ending}")(functools.partial(lambda made, values: conditions(made(), **values), made, values))
for name, values in {"total": {"total": 2}, "total-0": {"total": 1}, "memory": {"memory": 20}, "objects": {"objects": 1}, "deep": {"flags": 1},
                     "checks": {"checks": 2}, "checks-3": {"checks": 3}}.items():
    seed("BROTLI", "limit-" + name)(functools.partial(lambda values: conditions(packed(TEXT * 30), name=b"a.br", **values), values))
