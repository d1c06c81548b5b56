"""tools/bench update: one day's change of a database, by an update server of esets and by freshclam's way.

Bytes on the wire; and the time from the first request until the new signatures find something, beside clamd's reload.
"""

import gzip
import hashlib
import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import processes
import signatures

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("ESETS_BUILD", f"{HERE}/.build/release")
MARKER = b"the text that only the new database knows"


def day(lines, numbers):
    """A day's change: one line in a thousand goes, one in two thousand is another, one in two hundred is new."""
    count = len(lines)
    gone = set(numbers.sample(range(count), max(1, count // 1000)))
    exchanged = set(numbers.sample(range(count), max(1, count // 2000))) - gone
    new, script = [], []

    def other(line, start):
        return bytes(numbers.choice(b"0123456789abcdef") if i >= start and byte in b"0123456789abcdef" else byte
                     for i, byte in enumerate(line))

    for number, line in enumerate(lines):
        if number in gone:
            script.append(b"DEL %d %s\n" % (number + 1, line[:16]))
        elif number in exchanged:
            line = other(line, max(0, len(line) - 9))
            script.append(b"XCHG %d %s %s" % (number + 1, lines[number][:16], line))
            new.append(line)
        else:
            new.append(line)
    for _ in range(max(1, count // 200)):
        new.append(other(numbers.choice(lines), 0))
        script.append(b"ADD " + new[-1])
    return new, script


class Counter:
    """A web server over a folder that counts what it sends."""

    def __init__(self, folder):
        outer = self
        self.bytes = 0

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *arguments):
                pass

            def copyfile(self, source, target):
                while piece := source.read(1 << 18):
                    target.write(piece)
                    outer.bytes += len(piece)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        count, self.bytes = self.bytes, 0
        return count


def call(*command, environment=None, check=True):
    done = subprocess.run(command, capture_output=True, env=environment)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stdout.decode()[-2000:]}{done.stderr.decode()[-2000:]}")
    return done


def publish(environment, place, sources):
    command = "sync" if os.path.exists(place) else "create"
    begin = time.monotonic()
    call(f"{BUILD}/esets_publish", command, place, f"--sources={sources}", environment=environment)
    return time.monotonic() - begin


class Esets:
    """An installed system whose update server is the counter."""

    def __init__(self, work):
        self.root = f"{work}/esets"
        os.makedirs(self.root)
        call(f"{HERE}/tools/install", self.root)
        self.sbin = f"{self.root}/opt/eset/esets/sbin"
        shutil.rmtree(f"{self.root}/var/opt/eset/esets/lib/mirror/signatures")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": f"{self.root}/opt/eset/esets/lib"}

    def follow(self, base, root):
        os.makedirs(f"{self.root}/etc/opt/eset/esets/certs/update")
        shutil.copy(root, f"{self.root}/etc/opt/eset/esets/certs/update/root.json")
        call(f"{self.sbin}/esets_set", f"--root={self.root}", f'--set=av_update_server = "{base}"')

    def update(self):
        """Fetches, compiles and swaps; the report and the seconds until the new database is in use."""
        begin = time.monotonic()
        done = call(f"{self.sbin}/esets_update", f"--root={self.root}", "--json")
        return json.loads(done.stdout), time.monotonic() - begin

    def start(self):
        call(f"{self.sbin}/esets_daemon", f"--root={self.root}")

    def finds(self, path):
        return call(f"{self.sbin}/esets_scan", f"--root={self.root}", "--clean-mode=none", path, check=False).returncode == 50

    def stop(self):
        call(f"{self.sbin}/esets_daemon", f"--root={self.root}", "--stop", check=False)


class Clamd:
    """clamd over a folder of its own."""

    def __init__(self, work):
        self.home = f"{work}/clamd"
        self.data = f"{self.home}/data"
        os.makedirs(self.data)
        os.chmod(work, 0o755)
        for path in (self.home, self.data):
            os.chmod(path, 0o777)
        self.socket = f"{self.home}/socket"
        with open(f"{self.home}/clamd.conf", "w") as file:
            file.write(f"DatabaseDirectory {self.data}\nLocalSocket {self.socket}\nForeground yes\n"
                       "ConcurrentDatabaseReload yes\nOfficialDatabaseOnly no\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["clamd", f"--config-file={self.home}/clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.ask("PING") == b"PONG\0":
                return
            time.sleep(0.1)
        sys.exit("clamd does not start")

    def ask(self, command):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(self.socket)
                connection.sendall(b"z" + command.encode() + b"\0")
                return connection.recv(4096)
        except OSError:
            return b""

    def reload(self, path):
        """Seconds from the command until the new signature finds something."""
        begin = time.monotonic()
        self.ask("RELOAD")
        while b"FOUND" not in self.ask(f"SCAN {path}"):
            if time.monotonic() - begin > 300:
                sys.exit("clamd does not find what is new")
            time.sleep(0.02)
        return time.monotonic() - begin

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)


def measure(count, alone, as_json):
    work = tempfile.mkdtemp(prefix="esets-bench-update-")
    esets = clamd = None
    try:
        os.chmod(work, 0o755)
        numbers = random.Random(11)
        folder = f"{work}/database"
        signatures.make(folder, count)
        sources = f"{work}/sources/signatures"
        os.makedirs(sources)
        names = sorted(name for name in os.listdir(folder) if name.startswith("bench."))
        script = []
        for name in names:
            shutil.copy(f"{folder}/{name}", f"{sources}/{name}")
        result = {"signatures": count, "database": sum(os.path.getsize(f"{sources}/{name}") for name in names)}
        esets = Esets(work)
        place = f"{work}/repository"
        result["publishing"] = publish(esets.environment, place, f"{work}/sources")
        server = Counter(f"{place}/public")
        esets.follow(server.base, f"{place}/root.json")
        _, result["first update"] = esets.update()
        result["first bytes"] = server.take()
        esets.start()
        if not alone:
            clamd = Clamd(work)
            for name in names:
                shutil.copy(f"{sources}/{name}", clamd.data)
            clamd.start()

        for name in names:
            with open(f"{sources}/{name}", "rb") as file:
                lines = file.readlines()
            lines, changes = day(lines, numbers)
            if name == "bench.ndb":
                lines.append(b"Bench.Marker:0:*:" + MARKER.hex().encode() + b"\n")
            script += [b"OPEN %s\n" % name.encode(), *changes, b"CLOSE\n"]
            with open(f"{sources}/{name}", "wb") as file:
                file.writelines(lines)
        result["making deltas"] = publish(esets.environment, place, f"{work}/sources")
        sample = f"{work}/sample"
        with open(sample, "wb") as file:
            file.write(b"before " + MARKER + b" after")
        os.chmod(sample, 0o644)
        server.take()
        report, seconds = esets.update()
        result["esets: update"] = seconds
        result["esets: bytes"] = server.take()
        if not esets.finds(sample):
            sys.exit("esets does not find what is new")
        whole = b"".join(open(f"{sources}/{name}", "rb").read() for name in names)
        result["whole, plain"] = len(whole)
        result["whole, gzip (.cvd)"] = len(gzip.compress(whole, 9))
        result["script of changes, gzip (.cdiff)"] = len(gzip.compress(b"".join(script), 9))
        if clamd:
            begin = time.monotonic()
            for name in names:
                shutil.copy(f"{sources}/{name}", f"{clamd.data}/{name}.new")
                os.rename(f"{clamd.data}/{name}.new", f"{clamd.data}/{name}")
            result["clamd: copy and reload"] = clamd.reload(sample) + time.monotonic() - begin
            result["clamd: memory, MB"] = processes.memory_megabytes([clamd.process.pid])[1]
        tell(result, as_json)
    finally:
        if esets:
            esets.stop()
        if clamd:
            clamd.stop()
        shutil.rmtree(work, ignore_errors=True)


def tell(result, as_json):
    if as_json:
        return print(json.dumps(result))
    for name, value in result.items():
        print(f"{name:36} {value:>14,.2f} s" if isinstance(value, float) and "MB" not in name else
              f"{name:36} {value:>14,.0f}")


def run(options):
    measure(options.signatures, options.alone, options.json)
