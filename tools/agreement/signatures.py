"""Signatures of .ndb and .ldb files, each made into an object that matches it and one that nearly does."""

import random
import re

import expressions
import hosts
import patterns
from patterns import Unmakeable


def objects(name, line, seed):
    """(matching, nearly matching or None) for one line of a file of that kind. Raises Unmakeable with the reason."""
    make = {"ndb": body, "ndu": body, "ldb": logical, "ldu": logical}.get(name.rsplit(".", 1)[-1])
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
    return line.split(":" if name.endswith(("ndb", "ndu")) else ";", 1)[0]


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
        if text.startswith("fuzzy_img#") or text.startswith("${"):
            raise Unmakeable("macro or image subsignature")
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
    for missing in ("IconGroup1", "IconGroup2", "Container", "Intermediates", "HandlerType"):
        if missing in facts:
            raise Unmakeable(missing)
    target = int(facts.get("Target", "0"))
    parts = [Part(text) for text in fields[3:]]
    needs = wanted(Expression(fields[2]).tree(), rng)
    if not needs:
        raise Unmakeable("true with no part")
    low, high = 0, None
    if "FileSize" in facts:
        low, high = (int(n) for n in facts["FileSize"].split("-"))
    if "NumberOfSections" in facts or "EntryPoint" in facts:
        raise Unmakeable("NumberOfSections or EntryPoint")
    results = []
    for near in (False, True):
        host = hosts.for_target(target, sum(len(f) for f in fields[3:]) * 2 + 4096)
        order = list(needs.items())
        # Fixed places first: the others go where room is left.
        order.sort(key=lambda item: parts[item[0]].offset[0] == "any")
        spoiled = rng.choice([index for index, _ in order]) if near else None
        try:
            for index, count in order:
                repeats = count if parts[index].offset[0] == "any" else min(count, 1)
                for turn in range(repeats):
                    parts[index].write(host, rng, near and index == spoiled and turn == 0)
            results.append(host.finished(low, high))
        except Unmakeable:
            if not near:
                raise
            results.append(None)
    return results


def split(line):
    """Fields of a logical signature; a semicolon inside a regular expression is written \\x3b, so none is hidden."""
    fields = line.split(";")
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
