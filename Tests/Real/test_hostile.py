"""Content and clients that mean harm: every scan ends in a verdict within its limits, and the service still answers."""

import gzip
import io
import json
import os
import socket
import struct
import tarfile
import threading
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

from harness import (
    EICAR, Client, Peak, Sink, Tree, attachment, check, deliver, finish, message, wait_until)

PORT, NEXT = 2526, 2525
# What one scanning process may have: two threads share the process, each with av_scan_max_memory of 256 MiB at most,
# and a sane unpacker stays far below.
MEMORY = 350 << 20

tree = Tree(
    smtp={"listen_addr": '"localhost"', "listen_port": PORT, "server_addr": '"127.0.0.1"', "server_port": NEXT,
          "action_av_notscanned": '"reject"'},
    # The limit of time is for what never ends: it counts the clock on the wall.
    options=[("global", "av_scan_timeout = 240"), ("global", "num_thrd = 2")])
sink = Sink(NEXT, bare=True)


def scan(path):
    """Exit code, verdict of the file, and the most memory that a scanning process had meanwhile."""
    with Peak(tree.scanners) as peak:
        done = tree.command("esets_scan", "--clean-mode=none", "--json", path, timeout=300)
    lines = [json.loads(line) for line in done.stdout.decode(errors="replace").splitlines()]
    files = [line for line in lines if line["type"] == "file"]
    return done.returncode, files[0] if files else {}, peak.bytes


def put(name, content):
    path = f"{tree.root}/{name}"
    with open(path, "wb") as out:
        out.write(content)
    return path


# ---------------------------------------------------------------- makers of bombs

def zip_of(stored, crc, size, name=b"zeros", method=8):
    """A zip with one member whose compressed bytes are given."""
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, method, 0, 0x21, crc, len(stored), size & 0xFFFFFFFF, len(name), 0)
    central = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, method, 0, 0x21, crc, len(stored), size & 0xFFFFFFFF, len(name), 0, 0, 0, 0, 0, 0)
    end = struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(central) + len(name), len(local) + len(name) + len(stored), 0)
    return local + name + stored + central + name + end


def zeros(size):
    """Zeros, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = bytearray()
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        out += packer.compress(block)
    return bytes(out + packer.flush())


def overlapping(count):
    """One body that many entries of the directory share (D. Fifield, "A better zip bomb")."""
    body = zeros(16 << 20)
    name = b"x"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0x21, 0, len(body), 16 << 20, 1, 0) + name + body
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0x21, 0, len(body), 16 << 20, 1, 0, 0, 0, 0, 0, 0) + name
    return local + entry * count + struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(entry) * count, len(local), 0)


def nested_zip(levels, width):
    content = zeros_zip
    for _ in range(levels):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for n in range(width):
                archive.writestr(f"{n}.zip", content)
        content = out.getvalue()
    return content


def nested_gzip():
    """What a gzip that unpacks to itself is to a scanner: one in another, deeper than it wants to go."""
    content = b"end"
    for _ in range(200):
        content = gzip.compress(content)
    return content


def nested_parts(depth):
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return b"Subject: deep\r\nMIME-Version: 1.0\r\n" + head + b"Content-Type: text/plain\r\n\r\nbottom\r\n" + b"".join(
        b"--b%d--\r\n" % n for n in reversed(range(depth)))


def nested_messages(depth):
    return b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: bottom\r\n\r\n" + EICAR


def many_parts(count):
    return (
        b"Subject: wide\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * count + b"--b--\r\n")


zeros_zip = None


def bombs():
    global zeros_zip
    print("bombs")
    large = zeros(4096 << 20)
    zeros_zip = zip_of(zeros(256 << 20), 0, 256 << 20)
    parameters = b"Subject: p\r\nContent-Type: text/plain; " + b"; ".join(b"a*%d=x" % n for n in range(200_000)) + b"\r\n\r\nx\r\n"
    samples = {
        "a zip of 4 GB of zeros": (zip_of(large, 0, 4096 << 20), (10,)),
        "a gzip of 4 GB of zeros": (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + large + bytes(8), (10,)),
        "one body for 5,000 members": (overlapping(5000), (10,)),
        "zips in zips, 16 wide": (nested_zip(3, 16), (10,)),
        "200 gzips in each other": (nested_gzip(), (10,)),
        "10,000 parts in each other": (nested_parts(10_000), (10,)),
        "5,000 messages in each other": (nested_messages(5_000), (10, 50)),
        "200,000 parts": (many_parts(200_000), (10,)),
        "1,000,000 header fields": (b"X-A: b\r\n" * 1_000_000 + b"\r\nx\r\n", (0, 10)),
        "a header field of 30 MB": (b"Subject: " + b"x" * 30_000_000 + b"\r\n\r\nx\r\n", (0, 10)),
        "a header field of 10 MB, folded": (b"Subject: " + b"x\r\n " * 2_500_000 + b"\r\n\r\nx\r\n", (0, 10)),
        "200,000 parameters": (parameters, (0, 10)),
        "a boundary that is everywhere": (
            b"Subject: b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"-\"\r\n\r\n" + b"---\r\n" * 1_000_000,
            (0, 10)),
        "8 MB of encoded words": (b"Subject: " + b"=?utf-8?q?=41?= " * 500_000 + b"\r\n\r\nx\r\n", (0, 10)),
        "a tar of 30,000 members": (tar_of(30_000), (10,)),
        "20 MB of zip directory": (b"PK\1\2" * 5_000_000, (0, 10)),
        "10 MB of uuencode headers": (b"Subject: u\r\n\r\n" + b"begin 644 a\r\n" * 800_000, (0, 10)),
    }
    paths = {}
    for name, (content, expected) in samples.items():
        path = paths[name] = put("bomb", content)
        began = time.monotonic()
        code, file, peak = scan(path)
        reasons = sorted({reason["reason"] for reason in file.get("not_scanned", [])})
        check(
            code in expected and peak < MEMORY,
            f"{name} ({len(content):,} bytes): {code}, {peak >> 20} MiB, {time.monotonic() - began:.1f} s, {reasons[:3]}")
        if code == 10:
            check(reasons != [], f"{name}: the reason is told")
    # Files of users are copied to be scanned, up to 1 GiB; this one is sparse.
    line = f"{tree.root}/line"
    with open(line, "wb") as out:
        out.write(b"Subject: long\r\n\r\n")
        out.truncate(300 << 20)
    began = time.monotonic()
    code, file, peak = scan(line)
    check(
        code in (0, 10) and peak < MEMORY, f"a line of 300 MB: {code}, {peak >> 20} MiB, {time.monotonic() - began:.1f} s")
    os.truncate(line, 2 << 30)
    code, file, peak = scan(line)
    check(
        code == 10 and peak < MEMORY and "at most" in str(file), f"a line of 2 GB is not scanned: {code}, {peak >> 20} MiB, {file.get('problem')}")
    os.remove(line)

    print("the same by mail")
    mails = {name: samples[name][0] for name in (
        "10,000 parts in each other", "5,000 messages in each other", "200,000 parts", "1,000,000 header fields",
        "a header field of 10 MB, folded", "10 MB of uuencode headers")}
    for name in ("a zip of 4 GB of zeros", "one body for 5,000 members", "zips in zips, 16 wide", "200 gzips in each other"):
        mails[name] = attachment(samples[name][0], "bomb.zip")
    with Peak(tree.scanners) as peak, Peak(lambda: tree.processes("esets_smtp")) as agent:
        for name, content in mails.items():
            sink.clear()
            code = deliver(PORT, content)[0]
            check(code in (250, 550) and len(sink.messages) == (code == 250), f"{name}: {code}")
    check(peak.bytes < MEMORY, f"{peak.bytes >> 20} MiB in a scanning process")
    check(agent.bytes < MEMORY, f"{agent.bytes >> 20} MiB in the agent")
    facts = tree.status()
    check(facts["Crashes"] == "0", f"nothing crashed: {facts['Crashes']}")
    check(deliver(PORT, message())[0] == 250, "the service answers")
    check(deliver(PORT, message(EICAR))[0] == 550, "and finds what it should")


def tar_of(count):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()[:1024] * count + bytes(1024)


# ---------------------------------------------------------------- SMTP smuggling

def smuggling():
    print("smuggling, to a server that takes bare newlines")
    ends = {
        "LF . LF": b"\n.\n", "LF . CRLF": b"\n.\r\n", "CRLF . LF": b"\r\n.\n", "CR . CR": b"\r.\r", "CR . CRLF": b"\r.\r\n",
        "CRLF . CR": b"\r\n.\r", "CRLF NUL . CRLF": b"\r\n\0.\r\n", "CR CR LF . LF": b"\r\r\n.\n", "LF CR . CRLF": b"\n\r.\r\n",
        "CR LF CR . CR LF": b"\r\n\r.\r\n", "LF LF . CR CR LF": b"\n\n.\r\r\n", "CRLF .. CRLF": b"\r\n..\r\n",
        "CRLF . CR CRLF": b"\r\n.\r\r\n", "LF .CR LF": b"\n.\r\n",
    }
    second = b"MAIL FROM:<smuggled@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\n" + EICAR
    for mode in ("normalize", "reject"):
        tree.set("smtp", f'bare_newline = "{mode}"')
        tree.reload()
        for name, end in ends.items():
            for split in (False, True):
                sink.clear()
                client = Client(PORT)
                client.hello()
                client.command(b"MAIL FROM:<a@example.org>")
                client.command(b"RCPT TO:<b@example.org>")
                client.command(b"DATA")
                text = b"Subject: one\r\n\r\ntext" + end + second
                if split:
                    # Each byte of the sequence in a packet of its own.
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    at = text.index(end)
                    client.socket.sendall(text[:at])
                    for n in range(at, at + len(end)):
                        client.socket.sendall(text[n:n + 1])
                    client.socket.sendall(text[at + len(end):] + b"\r\n.\r\n")
                else:
                    client.socket.sendall(text + b"\r\n.\r\n")
                code = client.reply()[0]
                client.command(b"NOOP")
                client.close()
                smuggled = [m for m in sink.messages if "smuggled" in (m[0] or "")]
                commands = [c for c in sink.commands if "smuggled@" in c]
                if smuggled or commands or len(sink.messages) > 1:
                    check(False, f"{mode}: {name}{' in pieces' if split else ''}: a second message passed ({code})")
                elif split:
                    check(code in (250, 550), f"{mode}: {name}: {code}, and no second message")
    tree.set("smtp", "bare_newline")
    tree.reload()


# ---------------------------------------------------------------- hostile clients

def clients():
    print("hostile clients")
    agent = tree.processes("esets_smtp")
    client = Client(PORT)
    client.hello()
    client.socket.sendall(b"NOOP " + b"x" * 5_000_000 + b"\r\n")
    check(client.reply()[0] in (500, 421), "a command line of 5 MB")
    client.close()
    client = Client(PORT)
    client.hello()
    code = client.command(b"MAIL FROM:<a\0b@example.org>")[0]
    check(500 <= code < 600, f"a NUL in an address: {code}")
    sink.clear()
    text = message(b"a\0b\0\r\n" + b"y" * 200_000 + b"\r\n" + b"\xff\xfe\x80 8 bit\r\n")
    check(client.send(text)[-1][0] == 250 and sink.messages[0][2].endswith(text[-300_000:][-200_000:]), "NULs and long lines in a text go through")
    client.close()

    # More commands than anybody reads: the replies must not pile up in the agent.
    client = Client(PORT)
    client.hello()
    with Peak(agent) as peak:
        client.socket.settimeout(3)
        sent = 0
        try:
            for _ in range(400):
                client.socket.sendall(b"NOOP\r\n" * 20_000)
                sent += 20_000
        except OSError:
            pass
        client.close()
    check(peak.bytes < 200 << 20, f"{sent:,} commands without reading: {peak.bytes >> 20} MiB in the agent")
    client = Client(PORT)
    client.hello()
    storm = (b"MAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<b%d@example.org>\r\n" * 50 % tuple(range(50)) + b"RSET\r\n") * 40
    threading.Thread(target=lambda: client.socket.sendall(storm), daemon=True).start()
    codes = [client.reply()[0] for _ in range(52 * 40)]
    check(set(codes) == {250}, f"a storm of pipelined commands is answered: {len(codes)} replies")
    client.command(b"MAIL FROM:<a@example.org>")
    client.socket.sendall(b"".join(b"RCPT TO:<c%d@example.org>\r\n" % n for n in range(9_000)))
    codes = [client.reply()[0] for _ in range(9_000)]
    check(codes[0] == 250 and codes[-1] == 452, "9,000 recipients: the last ones get 452")
    client.close()
    client = Client(PORT)
    client.hello()
    codes = []
    for _ in range(500):
        codes.append(client.command(b"\x80garbage")[0])
        if codes[-1] in (0, 421):
            break
    check(codes[-1] in (0, 421), f"a client that only makes errors is sent away after {len(codes)}")
    client.close()
    for first in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" + bytes(100) + b"\r\n"):
        client = Client(PORT)
        client.reply()
        client.socket.sendall(first)
        code = client.reply()[0]
        check(code == 0 or code >= 400, f"no SMTP ({first[:8]!r}): {code}")
        client.close()

    # Slow clients hold connections open; others are served.
    slow = [Client(PORT) for _ in range(200)]
    for n, one in enumerate(slow):
        one.hello()
        one.socket.sendall(b"MAIL FROM:<slow@exam" if n % 2 else b"MAIL FROM:<slow@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nSubj")
    check(deliver(PORT, message())[0] == 250, "behind 200 clients that stopped in the middle another one is served")
    for one in slow:
        one.close()
    with ThreadPoolExecutor(32) as pool:
        codes = list(pool.map(lambda _: deliver(PORT, message())[0], range(64)))
    check(codes == [250] * 64, "and many at once")
    check(tree.processes("esets_smtp") == agent, "the agent lives")
    check(
        wait_until(lambda: len(os.listdir(f"/proc/{agent[0]}/fd")) < 100, 10), "and holds no connections that are gone")


try:
    tree.start()
    for step in (smuggling, clients, bombs):
        step()
finally:
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
finish()
