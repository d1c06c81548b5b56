"""What the tests against the installed system share: a private tree, a sink, messages, checks."""

import asyncio
import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# In pieces, so that scanners leave this source alone.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X").encode()

failures = []


def check(condition, what):
    """Records a check; everything is tried before the test fails."""
    print(("  ok    " if condition else "  FAILED ") + what, flush=True)
    if not condition:
        failures.append(what)
    return condition


def finish():
    if failures:
        print(f"{len(failures)} checks failed")
        sys.exit(1)
    print("all checks passed")


def wait_until(condition, seconds, step=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    return condition()


class Tree:
    """An installed system under a temporary root."""

    def __init__(self, smtp=None, options=()):
        self.root = tempfile.mkdtemp(prefix="esets-test-")
        os.chmod(self.root, 0o755)
        subprocess.run([f"{REPOSITORY}/tools/install", self.root], check=True)
        self.sbin = f"{self.root}/opt/eset/esets/sbin"
        self.bin = f"{self.root}/opt/eset/esets/bin"
        self.cfg = f"{self.root}/etc/opt/eset/esets/esets.cfg"
        self.etc = f"{self.root}/etc/opt/eset/esets"
        self.base = f"{self.root}/var/opt/eset/esets/lib"
        self.cache = f"{self.root}/var/opt/eset/esets/cache"
        self.mirror = f"{self.base}/mirror"
        self.log = f"{self.cache}/logs/esets.log"
        self.socket = f"{self.root}/tmp/esets.sock"
        self.set("global", 'log_target = "file:@CACHEDIR@/logs/esets.log"')
        self.set("global", 'syslog_class = "error:warning:summall:info"')
        if smtp:
            self.set("smtp", "agent_enabled = yes")
            for name, value in smtp.items():
                self.set("smtp", f"{name} = {value}")
        for section, text in options:
            self.set(section, text)

    def command(self, name, *arguments, **more):
        place = self.bin if os.path.exists(f"{self.bin}/{name}") else self.sbin
        return subprocess.run(
            [f"{place}/{name}", f"--root={self.root}", *arguments],
            capture_output=True, timeout=more.pop("timeout", 120), **more)

    def set(self, section, text):
        done = self.command("esets_set", f"--section={section}", f"--set={text}")
        assert done.returncode == 0, done.stderr.decode()

    def update(self, *arguments):
        return self.command("esets_update", *arguments)

    def start(self):
        done = self.update()
        assert done.returncode == 0, done.stderr.decode()
        done = self.command("esets_daemon")
        assert done.returncode == 0, done.stderr.decode() + self.log_text()[-2000:]
        assert wait_until(lambda: self.command("esets_daemon", "--status").returncode == 0, 10)

    def stop(self):
        if os.path.exists(self.sbin):
            self.command("esets_daemon", "--stop", timeout=60)

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def status(self):
        done = self.command("esets_daemon", "--status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def signature(self, name, text, file="test.ndb"):
        """Adds a body signature to the mirror."""
        with open(f"{self.mirror}/signatures/{file}", "a") as out:
            out.write(f"{name}:0:*:{text.encode().hex()}\n")

    def processes(self, *words):
        """Process ids of this tree whose command line has all the words."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.root in line and all(word in line for word in words):
                found.append(int(pid))
        return sorted(found)

    def scanners(self):
        return self.processes("esets_daemon", "--scanner")


class Sink:
    """An SMTP server that takes everything, in a thread; keeps (sender, recipients, content)."""

    def __init__(self, port, host="127.0.0.1", delay=0.0, refuse=None):
        self.messages = []
        self.delay = delay
        self.refuse = refuse or {}
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(host, port), daemon=True)
        self.thread.start()
        assert self.ready.wait(5)

    def _run(self, host, port):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._session, host, port, limit=1 << 27))
        self.ready.set()
        self.loop.run_forever()

    def close(self):
        async def end():
            self.server.close()
        asyncio.run_coroutine_threadsafe(end(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _session(self, reader, writer):
        sender, recipients = None, []
        writer.write(b"220 sink ESMTP\r\n")
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                reply = self.refuse.get(verb.decode(errors="replace").strip())
                if reply:
                    writer.write(reply)
                elif verb == b"EHLO":
                    writer.write(b"250-sink\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-DSN\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")
                elif verb == b"MAIL":
                    sender, recipients = line.strip().decode(errors="replace"), []
                    writer.write(b"250 ok\r\n")
                elif verb == b"RCPT":
                    recipients.append(line.strip().decode(errors="replace"))
                    writer.write(b"250 ok\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go\r\n")
                    content = []
                    while (text := await reader.readline()) != b".\r\n":
                        if not text:
                            return
                        content.append(text[1:] if text.startswith(b".") else text)
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    end = self.refuse.get("END")
                    if end:
                        writer.write(end)
                    else:
                        self.messages.append((sender, recipients, b"".join(content)))
                        writer.write(b"250 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    await writer.drain()
                    return
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()


class Client:
    """A plain SMTP client that shows every reply."""

    def __init__(self, port, host="127.0.0.1", timeout=60):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return (0, b"".join(lines))
            lines.append(line)
            if line[3:4] != b"-":
                return (int(line[:3]), b"".join(lines))

    def command(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.reply()

    def hello(self):
        self.reply()
        return self.command(b"EHLO test.example.org")

    def send(self, content, sender=b"alice@example.org", recipients=(b"bob@example.org",)):
        """One message; the replies to MAIL, each RCPT, DATA and the final dot, as far as they came."""
        replies = [self.command(b"MAIL FROM:<" + sender + b">")]
        for recipient in recipients:
            replies.append(self.command(b"RCPT TO:<" + recipient + b">"))
        replies.append(self.command(b"DATA"))
        if replies[-1][0] != 354:
            return replies
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        self.socket.sendall(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        replies.append(self.reply())
        return replies

    def close(self):
        self.socket.close()


def deliver(port, content, **more):
    """Sends one message over a connection of its own; the last reply."""
    client = Client(port)
    try:
        client.hello()
        return client.send(content, **more)[-1]
    finally:
        client.close()


def message(body=b"Hello.\r\n", subject=b"Test", content_type=b"text/plain", extra=b""):
    return (
        b"From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: " + subject
        + b"\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <" + os.urandom(8).hex().encode()
        + b"@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: " + content_type + b"\r\n" + extra + b"\r\n" + body)


def attachment(content, name="file.bin", media="application/octet-stream"):
    """A multipart message with one base64 attachment."""
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n--b\r\nContent-Type: " + media.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"" + name.encode()
        + b"\"\r\n\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--b--\r\n")
    return message(body, content_type=b"multipart/mixed; boundary=b")


def zipped(content, name="file.bin"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()
