"""Scripts, messages and texts for the fuzzers: the forms that their formats allow, and wrong ones."""

import base64
import functools
import gzip
import struct
import zlib

import documents
from seeds import LIMITS, SEEDS, TEXT, conditions, raw_deflate, seed

COMMAND = "Write-Output 'harmless'; # \u00e4\u20ac"
WIDE = base64.b64encode(COMMAND.encode("utf-16-le"))
for name, made in {
    "enc": b"powershell -enc " + WIDE, "quoted": b"powershell -EncodedCommand \"" + WIDE + b"\"", "ec": b"powershell /ec " + WIDE,
    "dash": b"powershell \xe2\x80\x93e " + WIDE, "carets": b"p^owershell -e^n^c " + b"^".join(WIDE[i:i + 3] for i in range(0, len(WIDE), 3)),
    "backticks": b"powershell -e`n`c '" + WIDE + b"'", "no-word": b"powershell " + WIDE, "word-far": b"-" + b"e" * 40 + b" " + WIDE,
    "word-other": b"powershell -file " + WIDE, "first": WIDE, "behind-space": b" " + WIDE, "bytes": b"powershell -e " + base64.b64encode(TEXT),
    "short": b"powershell -e QUFBQUFBQUFBQUFBQUFBQQ==", "odd": b"powershell -e " + base64.b64encode(b"a\0b\0c\0d\0e\0f\0g\0h\0i"),
    "argument": b"[Convert]::FromBase64String(\"" + base64.b64encode(TEXT) + b"\")",
    "argument-deflate": b"[Convert]::FromBase64String( '" + base64.b64encode(raw_deflate(TEXT)) + b"' )",
    "argument-gzip": b"FromBase64String(\"" + base64.b64encode(gzip.compress(TEXT, mtime=0)) + b"\")",
    "argument-small": b"FromBase64String(\"" + base64.b64encode(raw_deflate(b"0123456789")) + b"\")",
    "argument-other": b"fromBase63String(\"" + base64.b64encode(TEXT) + b"\")", "constant": b"x = '" + base64.b64encode(TEXT) + b"'",
    "constant-short": b"x = '" + base64.b64encode(TEXT)[:40] + b"'", "wide": ("powershell -enc " + WIDE.decode()).encode("utf-16"),
    "wide-no-mark": ("powershell -enc " + WIDE.decode() + "\u20ac").encode("utf-16-le"), "several": b"-e " + WIDE + b"\n-e " + WIDE + b"\n",
    "page": b"\xef\xbb\xbf \n<html><script>x = atob(`" + base64.b64encode(TEXT) + b"`)</script>", "page-short": b"<p><script>atob('aGFybWxlc3MsIHNob3J0')",
    "page-without": b"<html><script>'" + base64.b64encode(TEXT) + b"'", "page-empty": b" " * 40,
}.items():
    seed("SCRIPT-BASE64", name)(lambda made=made: made)
LONG = base64.b64encode(("a\u00e4\u20ac" * 3000).encode("utf-16-le"))
for name, values in {"total": {"total": 3}, "memory": {"memory": 2}, "memory-64k": {"memory": 18}, "memory-more": {"memory": 40}}.items():
    seed("SCRIPT-BASE64", "wide-" + name)(lambda values=values: conditions(("-e " + WIDE.decode()).encode("utf-16-le") * 60, **values))
    seed("SCRIPT-BASE64", "long-" + name)(lambda values=values: conditions(b"-e " + LONG, **values))
    seed("SCRIPT-BASE64", "deflate-" + name)(lambda values=values: conditions(
        b"FromBase64String('" + base64.b64encode(raw_deflate(bytes(90000))) + b"')", **values))
for unit in ("a", "\u00e4", "\u20ac"):
    for memory in (18, 34, 35, 50):
        seed("SCRIPT-BASE64", f"units-{ord(unit)}-{memory}")(lambda unit=unit, memory=memory: conditions(
            b"-e " + base64.b64encode((" " * 11000 + unit * 3000).encode("utf-16-le")), memory=memory))
    for total in range(2, 9):
        seed("SCRIPT-BASE64", f"total-{ord(unit)}-{total}")(lambda unit=unit, total=total: conditions(
            b"-e " + base64.b64encode((" " * 300 + "x" * (total & 3) + unit * 300).encode("utf-16-le")), total=total))


def encoded(text, length=None, end=b"^#~@", sum=b"AAAAAA=="):
    number = base64.b64encode(struct.pack("<I", len(text) if length is None else length))
    return b"#@~^" + number + text + sum + end


SCRIPT = b"Dim x\t@#@&x@*@!@$@x@ \xc3\xa4 ~!\"#$%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}\x7f\x01\n"
for name, made in {
    "right": encoded(SCRIPT), "long": encoded(SCRIPT * 9), "length-wrong": encoded(SCRIPT, 7), "length-large": encoded(SCRIPT, 1 << 30),
    "no-length": b"#@~^" + SCRIPT + b"^#~@", "no-end": encoded(SCRIPT, end=b""), "only-mark": b"#@~^", "end-at-once": b"#@~^^#~@",
    "page": b"<html><script language=\"VBScript.Encode\">" + encoded(SCRIPT) + b"</script><script>" + encoded(SCRIPT) + b"</script>",
    "escape-last": encoded(b"x@"), "far": b"<job>" + b" " * 70000 + encoded(SCRIPT),
    "name-vbe": conditions(encoded(SCRIPT), name=b"a.vbe"), "name-jse": conditions(encoded(SCRIPT), name=b"a.JSE"),
    "name-other": conditions(encoded(SCRIPT), name=b"abc.exe"), "name-e": conditions(encoded(SCRIPT), name=b"e"),
    "total": conditions(encoded(SCRIPT * 9), total=3), "memory": conditions(encoded(SCRIPT * 600), memory=18),
}.items():
    seed("SCRIPT-ENCODED", name)(lambda made=made: made)


# ---------------------------------------------------------------- RTF

def rtf(text, head=b"{\\rtf1{\\object\\objemb{\\*\\objdata ", end=b"}}}"):
    return head + text + end


NATIVE = documents.rtf_object("a.txt", TEXT)
for name, made in {
    "package": rtf(NATIVE.hex().encode()), "upper": rtf(NATIVE.hex().upper().encode()), "cut": rtf(NATIVE.hex().encode()[:80], end=b""),
    "inner-group": rtf(b"{\\x 01}" + NATIVE.hex().encode()), "inner-digits": rtf(b"{" + NATIVE.hex().encode() + b"}"),
    "binary": rtf(b"\\bin%d " % len(NATIVE) + NATIVE), "binary-negative": rtf(b"\\bin-5 abc"), "binary-large": rtf(b"\\bin99999999999999999999 abc"),
    "symbols": rtf(b"\\'41\\*\\~" + NATIVE.hex().encode() + b"\\"), "format-3": rtf(struct.pack("<II", 0x501, 3).hex().encode() + b"00" * 40),
    "length-wrong": rtf(struct.pack("<III", 0x501, 2, 1 << 20).hex().encode() + b"00" * 40),
    "no-size": rtf((struct.pack("<III", 0x501, 2, 0) + struct.pack("<II", 0, 0)).hex().encode()),
    "no-package": rtf((struct.pack("<IIIIII", 0x501, 2, 0, 0, 0, 40) + b"x" * 60).hex().encode()),
    "package-cut": rtf(NATIVE[:-20].hex().encode()), "odd-digit": rtf(b"414"), "nothing": rtf(b""), "linked": rtf((struct.pack("<II", 0x501, 1) + NATIVE[8:]).hex().encode()),
    "two": rtf(NATIVE.hex().encode()) * 2, "word-long": rtf(b"\\" + b"a" * 60 + b"12 41"), "total": conditions(rtf(NATIVE.hex().encode()), total=2),
    "total-binary": conditions(rtf(b"\\bin%d " % len(NATIVE) + NATIVE), total=2), "memory": conditions(rtf(b"41" * 70000), memory=18),
}.items():
    seed("RTF", name)(lambda made=made: made)


MOVIE = documents.flash((87, bytes(6) + TEXT), (21, b"\1\0\xff\xd8\xff"), (35, bytes(6) + b"\xff\xd8\xff"), (6, b"\1\0\xff\xd8"), (90, bytes(8) + b"\xff\xd8"))
for name, made in {
    "plain": documents.flash_head(b"F", MOVIE) + MOVIE, "short-tags": documents.flash_head(b"F", b"") + b"\x08\0\0\x18\1\0" + struct.pack("<H", 87 << 6 | 9) + bytes(6) + b"abc",
    "wide": documents.flash_head(b"F", b"") + b"\xf8" + bytes(40) + MOVIE[6:], "empty": documents.flash_head(b"F", b"x"), "cut": documents.flash_head(b"F", MOVIE) + MOVIE[:-60],
    "length-cut": documents.flash_head(b"F", b"") + b"\x08\0\0\x18\1\0" + struct.pack("<H", 87 << 6 | 0x3f) + b"\1\0", "far": documents.flash_head(b"F", MOVIE) + MOVIE[:8] + b"\xff\xff\xff\x7f",
    "no-end": documents.flash_head(b"F", MOVIE) + MOVIE[:-2], "small": b"FWS\x0d\x08\0\0\0x", "version": b"FWS\x40\x20\0\0\0" + MOVIE, "other": b"XWS\x0d\x20\0\0\0" + MOVIE,
    "zlib": documents.FORMATS["swf-zlib"][1]("a", TEXT), "zlib-cut": documents.FORMATS["swf-zlib"][1]("a", TEXT)[:-30], "zlib-wrong": documents.FORMATS["swf-zlib"][1]("a", TEXT)[:9] + TEXT,
    "lzma": documents.FORMATS["swf-lzma"][1]("a", TEXT), "lzma-cut": documents.FORMATS["swf-lzma"][1]("a", TEXT)[:-30], "lzma-wrong": documents.FORMATS["swf-lzma"][1]("a", TEXT)[:20] + TEXT,
    "lzma-short": documents.FORMATS["swf-lzma"][1]("a", TEXT)[:14], "many": documents.flash_head(b"F", b"") + documents.flash(*((1, b""),) * 5000),
}.items():
    seed("SWF", name)(lambda made=made: made)
for label in ("swf", "swf-zlib", "swf-lzma"):
    made = documents.FORMATS[label][1]("a", TEXT * 200)
    for name, values in LIMITS.items():
        seed("SWF", f"{label}-{name}")(lambda made=made, values=values: conditions(made, **values))


# ---------------------------------------------------------------- yEnc

def yenc_body(data):
    made = b""
    for byte in data:
        byte = (byte + 42) & 255
        made += b"=" + bytes([(byte + 64) & 255]) if byte in (0, 9, 10, 13, 46, 61) else bytes([byte])
    return made + b"\r\n"


def yenc(data, begin=None, name=b"a file.txt", part=b"=ypart begin=%d end=%d\r\n", end=b"=yend size=9\r\n", total=2):
    head = b"=ybegin part=1 total=%d line=128 size=99 name=%s\r\n" % (total, name)
    return head + (part % (begin, begin + len(data) - 1) if begin is not None else b"") + yenc_body(data) + end


for name, made in {
    "parts": yenc(TEXT[50:], 51) + yenc(TEXT[:50], 1), "parts-three": yenc(TEXT, 1) + yenc(TEXT, 1, b"other") + yenc(TEXT, 103),
    "part-alone": yenc(TEXT, 1), "part-no-number": yenc(TEXT, None).replace(b".txt\r\n", b".txt\r\n=ypart begin=x\r\n"), "part-no-begin": yenc(TEXT).replace(b".txt\r\n", b".txt\r\n=ypart \r\n"),
    "whole": yenc(TEXT), "no-end": yenc(TEXT, end=b""), "no-name": yenc(TEXT).replace(b" name=", b" nome="), "escape-last": yenc(b"", end=b"="), "dots": yenc(b"").replace(b"\r\n\r\n", b"\r\n..a\r\n.\r\n"),
    "many": yenc(b"a", 1) * 300, "parts-total": conditions(yenc(TEXT[50:], 51) + yenc(TEXT[:50], 1), total=3), "parts-objects": conditions(yenc(TEXT[50:], 51) + yenc(TEXT[:50], 1), objects=3),
}.items():
    seed("YENC", name)(lambda made=made: made)


MSO = documents.FORMATS["activemime"][1]("a", TEXT)
for name, made in {
    "cut": MSO[:-20], "damaged": MSO[:60] + b"?" * 40, "no-stream": MSO[:50], "usual": MSO[:30] + b"\xff\xff" + MSO[32:], "far": MSO[:46] + bytes(600) + MSO[50:],
    "usual-554": MSO[:46].ljust(554, b"\0") + MSO[50:], "behind": MSO + TEXT, "total": conditions(MSO, total=2), "deep": conditions(MSO, flags=1), "short": MSO[:20],
}.items():
    seed("ACTIVEMIME", name)(lambda made=made: made)
