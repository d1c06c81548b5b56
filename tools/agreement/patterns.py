"""Body patterns of ClamAV-format signatures, read for one purpose: to make bytes that match them, or nearly do.

Written apart from the compiler on purpose: what both misread in the same way would not show.
"""

import re


class Unmakeable(Exception):
    """No object can be made for this signature; the text says why."""


WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def parse(text):
    """Elements of a hexadecimal pattern: ("bytes", [(value, mask)…]), ("gap", low, high|None),
    ("choice", [elements…]), ("none", [bytes…]), ("mark", letter)."""
    elements, at = [], 0

    def fixed(pair):
        if elements and elements[-1][0] == "bytes":
            elements[-1][1].append(pair)
        else:
            elements.append(("bytes", [pair]))

    while at < len(text):
        char = text[at]
        if char == "*":
            elements.append(("gap", 0, None))
            at += 1
        elif char in "{[":
            end = text.index("}" if char == "{" else "]", at)
            low, dash, high = text[at + 1:end].partition("-")
            if not dash:
                elements.append(("gap", int(low), int(low)))
            else:
                elements.append(("gap", int(low or 0), int(high) if high else None))
            at = end + 1
        elif char in "(!":
            start = at
            negated = char == "!"
            at += 1 + negated
            depth, parts, part = 1, [], at
            while depth:
                if at >= len(text):
                    raise Unmakeable("unbalanced alternatives")
                if text[at] == "(":
                    depth += 1
                elif text[at] == ")":
                    depth -= 1
                if (text[at] == "|" and depth == 1) or depth == 0:
                    parts.append(text[part:at])
                    part = at + 1
                at += 1
            if not negated and parts in (["B"], ["L"], ["W"]):
                elements.append(("mark", parts[0]))
            elif negated and parts in (["B"], ["L"], ["W"]):
                raise Unmakeable("negated mark")
            elif negated:
                elements.append(("none", [parse(p) for p in parts]))
            else:
                if any(not p for p in parts):
                    raise Unmakeable(f"empty alternative at {start}")
                elements.append(("choice", [parse(p) for p in parts]))
        else:
            pair = text[at:at + 2]
            if len(pair) < 2 or any(c not in "0123456789abcdefABCDEF?" for c in pair):
                raise Unmakeable(f"not hexadecimal: {pair!r}")
            value = mask = 0
            for c in pair:
                value <<= 4
                mask <<= 4
                if c != "?":
                    value |= int(c, 16)
                    mask |= 15
            fixed((value, mask))
            at += 2
    return elements


def make(elements, rng, fill, modifiers=""):
    """Bytes that match, and the places in them that are wholly fixed."""
    out, exact = bytearray(), []

    def pad(count):
        for _ in range(count):
            out.append(rng.choice(fill))

    def put(some):
        for element in some:
            kind = element[0]
            if kind == "bytes":
                for value, mask in element[1]:
                    if mask == 0xff:
                        exact.append(len(out))
                    byte = value | (rng.choice(fill) & ~mask & 0xff)
                    if "i" in modifiers and chr(byte).isalpha() and byte < 128 and mask == 0xff:
                        byte = ord(rng.choice((chr(byte).lower(), chr(byte).upper())))
                    out.append(byte)
            elif kind == "gap":
                low, high = element[1], element[2]
                if high is None:
                    high = low + 40
                pad(rng.randint(low, min(high, low + 200)))
            elif kind == "choice":
                put(rng.choice(element[1]))
            elif kind == "none":
                refused = [make(option, rng, fill)[0] for option in element[1]]
                for _ in range(100):
                    candidate = bytes(rng.choice(fill) for _ in refused[0])
                    if candidate not in [bytes(r) for r in refused]:
                        break
                out.extend(candidate)
            elif kind == "mark" and element[1] in "LW":
                out.append(0x0a)
            elif kind == "mark":
                if not out:
                    out.append(0x20)

    put(elements)
    data = bytes(out)
    if "w" in modifiers and "a" not in modifiers:
        data, exact = spread(data, exact)
    elif "w" in modifiers and rng.random() < 0.5:
        data, exact = spread(data, exact)
    if "f" in modifiers or any(e == ("mark", "B") for e in elements):
        data = b" " + data + b" "
        exact = [place + 1 for place in exact]
    return data, exact


def spread(data, exact):
    """UTF-16 little-endian form of single bytes."""
    return bytes(b for byte in data for b in (byte, 0)), [place * 2 for place in exact]


def spoil(data, exact, rng, modifiers=""):
    """The same bytes with one fixed byte changed, in a way that case folding does not undo."""
    if not exact:
        return None
    place = rng.choice(exact)
    value = data[place] ^ (0x80 if rng.random() < 0.5 else 0x03)
    if "i" in modifiers and bytes([value]).lower() == bytes([data[place]]).lower():
        value ^= 0x80
    return data[:place] + bytes([value]) + data[place + 1:]


OFFSET = re.compile(r"^(?:(\*)|(\d+)|EOF-(\d+)|EP([+-]\d+)|S(\d+)\+(\d+)|SL\+(\d+)|SE(\d+)|(VI))(?:,(\d+))?$")


def parse_offset(text):
    """(base, number, section, shift) of an offset field."""
    found = OFFSET.match(text)
    if not found:
        raise Unmakeable(f"offset {text}")
    anywhere, absolute, end, entry, section, inside, last, whole, version, shift = found.groups()
    shift = int(shift or 0)
    if anywhere:
        return ("any", 0, 0, 0)
    if absolute:
        return ("start", int(absolute), 0, shift)
    if end:
        return ("end", int(end), 0, shift)
    if entry:
        return ("entry", int(entry), 0, shift)
    if section:
        return ("section", int(inside), int(section), shift)
    if last:
        return ("last", int(last), 0, shift)
    if whole:
        return ("within", 0, int(whole), shift)
    raise Unmakeable("VI: needs a version resource")
