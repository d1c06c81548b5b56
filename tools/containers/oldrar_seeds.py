"""Encrypted RAR 3 for the fuzzers: a key costs 262,144 rounds, so an input has few passwords."""

import functools

from oldrar import SIGNATURE, block, old_archive, old_file
from seeds import TEXT, conditions, seed

PASSWORD = "s3cret-42"
OTHER = bytes(range(8, 16))


def stored(name="a.txt", data=TEXT, **more):
    return old_file(name, data, password=PASSWORD, **more)


ENCRYPTED = stored()
for name, made in {
    "stored": lambda: old_archive(ENCRYPTED, old_file("b.txt", TEXT), stored("c.txt", TEXT * 2), (block(0x7a, 0), b"")),
    "no-end": lambda: old_archive(ENCRYPTED, end=False),
    "salts": lambda: old_archive(ENCRYPTED, stored("b.txt", salt=OTHER)),
    "no-salt": lambda: old_archive(stored(salt=b"")),
    "large": lambda: old_archive(stored(flags=0x100)),
    "solid": lambda: old_archive(ENCRYPTED, stored("b.txt"), flags=8),
    "packed": lambda: old_archive(stored(method=0x33, content=b"no packed data" * 5)),
    "packed-block": lambda: old_archive(stored(method=0x33, content=bytes(11) + b"\x1f\xf0" + bytes(60))),
    "odd-size": lambda: old_archive((ENCRYPTED[0], ENCRYPTED[1][:-9])),
    "no-data": lambda: old_archive((old_file("a.txt", TEXT, password=PASSWORD, content=b"")[0], b"")),
    "old-version": lambda: old_archive(stored(version=20)),
    "old-version-beside": lambda: old_archive(ENCRYPTED, stored("b.txt", version=20)),
    "volume": lambda: old_archive(stored(flags=2), stored("b.txt")),
    "empty-file": lambda: old_archive(old_file("none", b""), ENCRYPTED),
    "headers": lambda: old_archive(ENCRYPTED, old_file("b.txt", TEXT), headers=PASSWORD),
    "headers-plain-data": lambda: old_archive(old_file("b.txt", TEXT), headers=PASSWORD),
    "headers-cut": lambda: old_archive(ENCRYPTED, headers=PASSWORD)[:-40],
    "headers-short": lambda: old_archive(headers=PASSWORD)[:-16],
    "headers-none": lambda: SIGNATURE + block(0x73, 0x80, bytes(6)),
    "headers-no-size": lambda: old_archive((bytes(16), b""), headers=PASSWORD),
    "headers-size": lambda: old_archive((b"\0\0\x74\0\0\xff\xff" + bytes(9), b""), headers=PASSWORD),
    "headers-damaged": lambda: old_archive((ENCRYPTED[0][:20] + b"?" + ENCRYPTED[0][21:], b""), headers=PASSWORD),
    "block-other": lambda: old_archive((block(0x71, 0), b""), ENCRYPTED),
    "block-short": lambda: old_archive((block(0x74, 0x8004, b"1234"), b"")),
    "name-cut": lambda: old_archive((ENCRYPTED[0][:26] + b"\xff\xff" + ENCRYPTED[0][28:], ENCRYPTED[1])),
    "large-wrong": lambda: old_archive((block(0x74, 0x8104, b"\xff" * 40), b"")),
}.items():
    seed("RAR3-ENCRYPTED", name)(functools.partial(lambda made: conditions(made(), passwords=PASSWORD.encode()), made))
    if name in ("stored", "headers", "packed"):
        seed("RAR3-ENCRYPTED", name + "-wrong")(functools.partial(lambda made: conditions(made(), passwords=b"wrong:other"), made))
for name, values in {"total": {"total": 2}, "total-more": {"total": 4}, "memory": {"memory": 2}, "objects": {"objects": 1}, "checks-3": {"checks": 3},
                     "checks-5": {"checks": 5}, "checks-8": {"checks": 8}}.items():
    for kind, headers in (("stored", None), ("headers", PASSWORD)):
        seed("RAR3-ENCRYPTED", f"{name}-{kind}")(functools.partial(lambda headers, values: conditions(
            old_archive(ENCRYPTED, old_file("b.txt", TEXT), headers=headers), passwords=PASSWORD.encode(), **values), headers, values))
