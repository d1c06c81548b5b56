"""What the tests against the installed system share: a private tree, a sink, messages, checks."""

import asyncio
import base64
import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
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
        self.has_agent = bool(smtp)
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
        assert wait_until(lambda: self.command("esets_daemon", "--status").returncode == 0, 60)
        if self.has_agent:
            assert wait_until(lambda: "started: " in self.log_text(), 60), self.log_text()[-2000:]

    def stop(self):
        if os.path.exists(self.sbin):
            self.command("esets_daemon", "--stop", timeout=60)

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def reload(self):
        """Makes the daemon and the agent read the configuration again, and waits until both have."""
        count = self.log_text().count("configuration read again")
        done = self.command("esets_daemon", "--reload")
        assert done.returncode == 0, done.stderr.decode()
        assert wait_until(lambda: self.log_text().count("configuration read again") > count, 60)

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

    def ready_scanners(self):
        """The scanning processes that have loaded a generation."""
        facts = (self.status() or {}).items()
        return sorted(int(name.split(".")[1]) for name, fact in facts
                      if name.startswith("Process.") and re.match(r"scanner .*generation=\d", fact))


EXTENSIONS = ("PIPELINING", "SIZE 0", "DSN", "SMTPUTF8", "8BITMIME")
HANG_UP = object()


class Sink:
    """An SMTP server that takes everything, in a thread; keeps (sender, recipients, content) and every command.

    - refuse: replies in place of 250, by verb; "END" is the reply to the final dot, "TEXT" what happens in the middle
      of a message, "GREETING" the first words. HANG_UP closes the connection there.
    - certificate: (chain, key): offers STARTTLS.
    - bare: takes a bare LF for the end of a line, as many servers do.
    """

    def __init__(self, port, host="127.0.0.1", delay=0.0, refuse=None, extensions=EXTENSIONS, certificate=None, bare=False):
        self.messages = []
        self.commands = []
        self.encrypted = 0
        self.delay = delay
        self.refuse = refuse or {}
        self.extensions = extensions
        self.bare = bare
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(host, port), daemon=True)
        self.thread.start()
        assert self.ready.wait(60)

    def _run(self, host, port):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._session, host, port, limit=1 << 27))
        self.ready.set()
        self.loop.run_forever()

    def close(self):
        async def end():
            self.server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)
        asyncio.run_coroutine_threadsafe(end(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def clear(self):
        self.messages.clear()
        self.commands.clear()

    async def _session(self, reader, writer):
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.LimitOverrunError, asyncio.CancelledError, ValueError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader, writer):
        sender, recipients, secure = None, [], False
        greeting = self.refuse.get("GREETING", b"220 sink ESMTP\r\n")
        if greeting is HANG_UP:
            return
        writer.write(greeting)
        while line := await reader.readline():
            self.commands.append(line.strip().decode(errors="replace"))
            verb = line[:4].upper()
            reply = self.refuse.get(verb.decode(errors="replace").strip())
            if reply is HANG_UP:
                return
            if reply:
                writer.write(reply)
            elif verb == b"EHLO":
                names = [*self.extensions, *(["STARTTLS"] if self.tls and not secure else [])]
                lines = ["sink", *names]
                writer.write("".join(f"250{' ' if i == len(names) else '-'}{n}\r\n" for i, n in enumerate(lines)).encode())
            elif verb == b"STAR" and self.tls:
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.tls)
                secure = True
                self.encrypted += 1
            elif verb == b"MAIL":
                sender, recipients = line.strip().decode(errors="replace"), []
                writer.write(b"250 ok\r\n")
            elif verb == b"RCPT":
                recipients.append(line.strip().decode(errors="replace"))
                writer.write(b"250 ok\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                content = await self._content(reader)
                if content is None:
                    return
                if self.delay:
                    await asyncio.sleep(self.delay)
                end = self.refuse.get("END")
                if end is HANG_UP:
                    return
                if end:
                    writer.write(end)
                else:
                    self.messages.append((sender, recipients, content))
                    writer.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()

    async def _content(self, reader):
        ends = (b".\r\n", b".\n") if self.bare else (b".\r\n",)
        content, complete = [], True
        while True:
            text = await reader.readline()
            if not text or (self.refuse.get("TEXT") is HANG_UP and content):
                return None
            if text in ends and (self.bare or complete):
                return b"".join(content)
            content.append(text[1:] if text.startswith(b".") and complete else text)
            complete = self.bare or text.endswith(b"\r\n")


class Client:
    """A plain SMTP client that shows every reply."""

    def __init__(self, port, host="127.0.0.1", timeout=300):
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

    def secure(self):
        """STARTTLS, without a look at the certificate."""
        reply = self.command(b"STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if reply[0] == 220:
            self.socket = context.wrap_socket(self.socket)
            self.file = self.socket.makefile("rb")
        return reply

    def close(self):
        # The connection ends with the last of both.
        self.file.close()
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


def memory(pid, field="RssAnon"):
    """A line of /proc/PID/status in bytes; 0 when the process has gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Peak:
    """The most memory that any of some processes had while a block ran, seen every few milliseconds."""

    def __init__(self, pids, field="RssAnon"):
        self.pids, self.field, self.bytes = pids, field, 0

    def __enter__(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.stop.wait(0.01):
            pids = self.pids() if callable(self.pids) else self.pids
            self.bytes = max([self.bytes, *(memory(pid, self.field) for pid in pids)])

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def zipped(content, name="file.bin"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()
