"""Regular expressions of signatures: makes a text that one matches, by walking the parsed expression."""

import re
import signal

try:
    import re._parser as parser
    import re._constants as names
except ImportError:
    import sre_parse as parser
    import sre_constants as names

from patterns import Unmakeable

# Seconds that Python's engine, which has no limits of its own, may take for one text.
PATIENCE = 2

PRINTABLE = [c for c in range(0x20, 0x7f)]


def make(expression, flags, rng):
    """Bytes that the expression matches, checked with Python's own engine."""
    options = 0
    for letter, option in (("i", re.I), ("s", re.S), ("m", re.M), ("x", re.X)):
        if letter in flags:
            options |= option
    try:
        tree = parser.parse(expression.encode("latin-1"), options)
        compiled = re.compile(expression.encode("latin-1"), options)
    except Exception as problem:  # Python's dialect lacks some of PCRE
        raise Unmakeable(f"regular expression: {problem}")
    for _ in range(20):
        groups = {}
        text = bytes(walk(tree, rng, groups))
        if within(PATIENCE, compiled, text):
            return text
    raise Unmakeable("regular expression: no text found")


def within(seconds, compiled, text):
    """Whether the expression matches, when that can be told in time."""

    def give_up(*_):
        raise Unmakeable("regular expression: takes Python too long")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return compiled.search(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def walk(tree, rng, groups):
    out = bytearray()
    for op, argument in tree:
        if op is names.LITERAL:
            out.append(argument & 0xff)
        elif op is names.NOT_LITERAL:
            out.append(rng.choice([c for c in PRINTABLE if c != argument]))
        elif op is names.ANY:
            out.append(rng.choice(PRINTABLE))
        elif op is names.IN:
            out.append(member(argument, rng))
        elif op is names.BRANCH:
            out += walk(rng.choice(argument[1]), rng, groups)
        elif op is names.SUBPATTERN:
            inner = walk(argument[-1], rng, groups)
            groups[argument[0]] = inner
            out += inner
        elif op in (names.MAX_REPEAT, names.MIN_REPEAT) or op.name == "POSSESSIVE_REPEAT":
            low, high, inner = argument
            for _ in range(rng.randint(low, min(high, low + 3) if high is not names.MAXREPEAT else low + 3)):
                out += walk(inner, rng, groups)
        elif op.name == "ATOMIC_GROUP":
            out += walk(argument, rng, groups)
        elif op is names.GROUPREF:
            out += groups.get(argument, b"")
        elif op is names.AT:
            if argument in (names.AT_BEGINNING, names.AT_BEGINNING_LINE) and out:
                out.append(0x0a)
        elif op is names.ASSERT:
            direction, inner = argument
            made = walk(inner, rng, groups)
            if direction < 0:
                out += made
        elif op is names.ASSERT_NOT:
            pass
        else:
            raise Unmakeable(f"regular expression: {op}")
    return out


def member(items, rng):
    allowed, negated = set(), False
    for op, argument in items:
        if op is names.NEGATE:
            negated = True
        elif op is names.LITERAL:
            allowed.add(argument)
        elif op is names.RANGE:
            allowed.update(range(argument[0], argument[1] + 1))
        elif op is names.CATEGORY:
            allowed.update(category(argument))
    choices = [c for c in PRINTABLE if (c in allowed) != negated] or [
        c for c in range(256) if (c in allowed) != negated]
    if not choices:
        raise Unmakeable("regular expression: empty class")
    return rng.choice(choices)


def category(kind):
    name = str(kind)
    digits, spaces = set(range(0x30, 0x3a)), {9, 10, 11, 12, 13, 32}
    words = digits | set(range(0x41, 0x5b)) | set(range(0x61, 0x7b)) | {0x5f}
    for key, group in (("DIGIT", digits), ("SPACE", spaces), ("WORD", words)):
        if key in name:
            return set(range(256)) - group if "NOT" in name else group
    return set()
