"""Signatures of .ndb, .ldb and .cdb files, each made into an object that matches it and one that nearly does."""

import random
import re

import containers
import expressions
import hosts
import patterns
import pictures
from patterns import Unmakeable


def objects(name, line, seed):
    """(matching, nearly matching or None) for one line of a file of that kind. Raises Unmakeable with the reason."""
    make = {"ndb": body, "ndu": body, "ldb": logical, "ldu": logical, "cdb": metadata}.get(name.rsplit(".", 1)[-1])
    if not make:
        raise Unmakeable("kind of file")
    for attempt in range(8):
        try:
            return make(line, random.Random(f"{seed}:{attempt}:{line}"))
        except Unmakeable as problem:
            last = problem
        except (ValueError, IndexError) as problem:
            raise Unmakeable(f"not understood: {problem}")
    raise last


def signature_name(name, line):
    return line.split(":" if name.endswith(("ndb", "ndu", "cdb")) else ";", 1)[0]


def body(line, rng):
    fields = line.split(":")
    target, offset, text = int(fields[1]), fields[2], fields[3]
    elements = patterns.parse(text)
    place = patterns.parse_offset(offset)
    results = []
    for near in (False, True):
        host = hosts.for_target(target, len(text))
        data, exact = patterns.make(elements, rng, host.fill)
        if near:
            data = patterns.spoil(data, exact, rng)
            if data is None:
                results.append(None)
                continue
        host.place(data, place, rng)
        results.append(host.finished())
    return results


class Part:
    """One subsignature, ready to be written into a host."""

    def __init__(self, text):
        self.modifiers = ""
        self.text = text
        self.offset = ("any", 0, 0, 0)
        self.image = text.split("#")[1] if text.startswith("fuzzy_img#") else None
        self.elements = self.expression = None
        if self.image:
            return
        if text.startswith("${"):
            raise Unmakeable("macro subsignature")
        if re.match(r"^\d+\([<>]", text):
            raise Unmakeable("byte compare subsignature")
        if "/" in text:
            head, rest = text.split("/", 1)
            self.expression, self.flags = rest.rsplit("/", 1)
            offset, _, self.trigger = head.rpartition(":")
            if offset:
                self.offset = patterns.parse_offset(offset)
            self.elements = None
            return
        self.expression = None
        if "::" in text:
            text, self.modifiers = text.rsplit("::", 1)
        if ":" in text:
            offset, text = text.split(":", 1)
            self.offset = patterns.parse_offset(offset)
        self.elements = patterns.parse(text)

    def write(self, host, rng, near):
        if self.elements is None:
            data = expressions.make(self.expression.replace("\\/", "/"), self.flags, rng)
            exact = list(range(len(data)))
        else:
            data, exact = patterns.make(self.elements, rng, host.fill, self.modifiers)
        if near:
            data = patterns.spoil(data, exact, rng, self.modifiers)
            if data is None:
                raise Unmakeable("nothing fixed to spoil")
        host.place(data, self.offset, rng)


def logical(line, rng):
    fields = split(line)
    facts = dict(item.split(":", 1) for item in fields[1].split(",") if ":" in item)
    for missing in ("IconGroup1", "IconGroup2", "HandlerType"):
        if missing in facts:
            raise Unmakeable(missing)
    target = int(facts.get("Target", "0"))
    parts = [Part(text) for text in fields[3:]]
    needs = wanted(Expression(fields[2]).tree(), rng)
    if not needs:
        raise Unmakeable("true with no part")
    if any(part.image for part in parts):
        if len(parts) > 1:
            raise Unmakeable("image subsignature beside others")
        return [pictures.picture(parts[0].image), pictures.picture(parts[0].image, rng)]
    low, high = 0, None
    if "FileSize" in facts:
        low, high = (int(n) for n in facts["FileSize"].split("-"))
    if "NumberOfSections" in facts or "EntryPoint" in facts:
        raise Unmakeable("NumberOfSections or EntryPoint")
    around = facts.get("Intermediates", facts.get("Container", "")).split(">") if {"Intermediates", "Container"} & set(
        facts) else []
    # Nearly: with a part that is wrong, or in another container.
    elsewhere = around and rng.random() < 0.5
    results = []
    for near in (False, True):
        host = hosts.for_target(target, sum(len(f) for f in fields[3:]) * 2 + 4096)
        order = list(needs.items())
        # Fixed places first: the others go where room is left.
        order.sort(key=lambda item: parts[item[0]].offset[0] == "any")
        spoiled = rng.choice([index for index, _ in order]) if near and not elsewhere else None
        try:
            for index, count in order:
                repeats = count if parts[index].offset[0] == "any" else min(count, 1)
                for turn in range(repeats):
                    parts[index].write(host, rng, near and index == spoiled and turn == 0)
            results.append(contained(host.finished(low, high), around, near and elsewhere, "Container" in facts, rng))
        except Unmakeable:
            if not near:
                raise
            results.append(None)
    return results


def contained(data, around, misplaced, is_whole, rng):
    """An object in the containers that a signature asks for, or in others."""
    if not around:
        return data
    if is_whole and around == ["CL_TYPE_ANY"]:
        # It lies in nothing.
        return containers.layers(["CL_TYPE_ZIP"], data) if misplaced else data
    if misplaced:
        choices = [kind for kind in ("CL_TYPE_ZIP", "CL_TYPE_MAIL", "CL_TYPE_POSIX_TAR") if kind != around[-1]]
        around = around[:-1] + [rng.choice(choices)]
    return containers.layers(around, data)


def metadata(line, rng):
    """Of container metadata: an entry as it is asked for, and one of which one thing is different."""
    fields = line.split(":")
    kind = "CL_TYPE_ZIP" if fields[1] == "*" else fields[1]
    if fields[2] != "*":
        raise Unmakeable("size of the container")
    chosen = [index for index in (3, 5, 6, 7) if fields[index] != "*"]
    wrong = rng.choice(chosen) if chosen else None
    results = []
    for near in (False, True):
        if near and wrong is None:
            results.append(None)
            continue

        def number(index, otherwise):
            if fields[index] == "*":
                return otherwise
            low, _, high = fields[index].partition("-")
            if near and wrong == index:
                return int(high or low) + 1
            return rng.randint(int(low), int(high or low))

        size = number(5, 40)
        name = expressions.make(fields[3], "", rng).decode("latin-1") if fields[3] != "*" else "content.bin"
        if near and wrong == 3:
            name = "x" + name[:-1] + "_"
            if re.search(fields[3], name):
                raise Unmakeable("every name matches")
        encrypted = fields[6] != "*" and (fields[6] == "1") != (near and wrong == 6)
        if encrypted and kind != "CL_TYPE_ZIP":
            raise Unmakeable("encrypted entry of another container than ZIP")
        before = max(1, number(7, 1)) - 1
        data = bytes(rng.choice(hosts.BINARY) for _ in range(size))
        entry = containers.Entry(data, name, encrypted=encrypted, before=before)
        if fields[4] != "*" and kind == "CL_TYPE_ZIP":
            low, _, high = fields[4].partition("-")
            if not int(low) <= size <= int(high or low):
                raise Unmakeable("packed size")
        results.append(containers.wrapped(kind, entry))
    return results


def split(line):
    """Fields of a logical signature; semicolons between the slashes of a regular expression separate nothing."""
    fields, start, inside = [], 0, False
    for at, char in enumerate(line):
        if char == "/" and len(fields) > 2 and line[at - 1] != "\\":
            inside = not inside
        elif char == ";" and not inside:
            fields.append(line[start:at])
            start = at + 1
    fields.append(line[start:])
    if len(fields) < 4:
        raise Unmakeable("fewer than four fields")
    return fields


class Expression:
    """A logical expression: numbers, & and |, parentheses, counts."""

    def __init__(self, text):
        self.tokens = re.findall(r"\d+|[&|()<>=,]", text)
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def tree(self):
        items, operator = [self.item()], None
        while self.peek() in ("&", "|"):
            sign = self.take()
            if operator and sign != operator:
                # Left to right, without precedence.
                items = [(operator, items)]
            operator = sign
            items.append(self.item())
        return (operator, items) if operator else items[0]

    def item(self):
        token = self.take()
        if token == "(":
            inner = self.tree()
            if self.take() != ")":
                raise Unmakeable("unbalanced expression")
        else:
            inner = int(token)
        if self.peek() in ("<", ">", "="):
            sign, count, distinct = self.take(), int(self.take()), None
            if self.peek() == ",":
                self.take()
                distinct = int(self.take())
            return ("count", sign, count, distinct, inner)
        return inner


def leaves(tree):
    if isinstance(tree, int):
        return [tree]
    if tree[0] == "count":
        return leaves(tree[4])
    return [leaf for item in tree[1] for leaf in leaves(item)]


def wanted(tree, rng):
    """How often each part has to be there, for one way to make the expression true."""
    needs = {}

    def need(index, count):
        needs[index] = max(needs.get(index, 0), count)

    def satisfy(tree):
        if isinstance(tree, int):
            need(tree, 1)
        elif tree[0] == "&":
            for item in tree[1]:
                satisfy(item)
        elif tree[0] == "|":
            satisfy(rng.choice(tree[1]))
        else:
            _, sign, count, distinct, inner = tree
            count += {"=": 0, ">": 1, "<": -1}[sign]
            if sign == "<":
                count = rng.randint(0, max(0, count))
            if count <= 0:
                return
            some = sorted(set(leaves(inner)))
            if distinct:
                if distinct > len(some):
                    raise Unmakeable("more distinct parts than there are")
                some = rng.sample(some, distinct)
            elif len(some) > 1:
                some = rng.sample(some, rng.randint(1, min(len(some), count)))
            each = {index: 1 for index in some}
            while sum(each.values()) < count:
                each[rng.choice(some)] += 1
            for index, times in each.items():
                need(index, times)

    satisfy(tree)
    return needs
