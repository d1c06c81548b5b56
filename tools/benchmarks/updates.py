"""tools/bench update: one day's change of a database, by an update server of esets and by ClamAV's ways, in turn.

Bytes on the wire, both directions, headers included; the time from the first request until the new signatures find
something; and how much memory everything has at its peak meanwhile.
"""

import http.server
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import freshclam
import processes
import signatures

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("ESETS_BUILD", f"{HERE}/.build/release")


# Of a digest, or of the text of a signature; never a size.
DIGITS = re.compile(rb"[0-9a-f]{16,}")


def day(lines, numbers):
    """A day's change: one line in a thousand goes, one in two thousand is another, one in two hundred is new."""
    count = len(lines)
    gone = set(numbers.sample(range(count), max(1, count // 1000)))
    exchanged = set(numbers.sample(range(count), max(1, count // 2000))) - gone
    new, script = [], []

    def other(line, count=None):
        """The line with other digits in its digest or text: the last ones, or all."""
        def digits(match):
            text = match.group()
            changed = len(text) if count is None else min(count, len(text))
            return text[:len(text) - changed] + b"%0*x" % (changed, numbers.getrandbits(4 * changed))
        return DIGITS.sub(digits, line, 0 if count is None else 1)

    for number, line in enumerate(lines):
        if number in gone:
            script.append(b"DEL %d %s\n" % (number + 1, line[:16]))
        elif number in exchanged:
            line = other(line, 8)
            script.append(b"XCHG %d %s %s" % (number + 1, lines[number][:16], line))
            new.append(line)
        else:
            new.append(line)
    for _ in range(max(1, count // 200)):
        new.append(other(numbers.choice(lines)))
        script.append(b"ADD " + new[-1])
    return new, script


class Counter:
    """A web server over a folder that counts what goes over the wire."""

    def __init__(self, folder):
        outer = self
        self.bytes = 0

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *arguments):
                pass

            def parse_request(self):
                is_good = super().parse_request()
                outer.bytes += len(self.raw_requestline) + len(bytes(self.headers)) if is_good else 0
                return is_good

            def flush_headers(self):
                outer.bytes += sum(map(len, getattr(self, "_headers_buffer", [])))
                super().flush_headers()

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

    def begin_update(self):
        return subprocess.Popen(
            [f"{self.sbin}/esets_update", f"--root={self.root}", "--json"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    @staticmethod
    def finish_update(process):
        output, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f"esets_update: {output.decode()[-1000:]}{errors.decode()[-1000:]}")
        return json.loads(output)

    def start(self):
        call(f"{self.sbin}/esets_daemon", f"--root={self.root}")
        with open(f"{self.root}/var/run/esets_daemon.pid") as file:
            self.daemon = int(file.read())

    def wait_until_found(self, path):
        for _ in range(100):
            done = call(
                f"{self.sbin}/esets_scan", f"--root={self.root}", "--clean-mode=none", path, check=False)
            if done.returncode == 50:
                return
        sys.exit("esets does not find what is new")

    def stop(self):
        call(f"{self.sbin}/esets_daemon", f"--root={self.root}", "--stop", check=False)


class Day:
    """The database of a day, on its way from the publisher: for esets in a repository, for ClamAV in a container."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names
        self.number = 0
        self.numbers = random.Random(11)
        self.script = b""

    @property
    def marker(self):
        return b"the text that only database %d knows" % self.number

    def go_on(self):
        self.number += 1
        script = []
        for name in self.names:
            with open(f"{self.folder}/{name}", "rb") as file:
                lines, changes = day(file.readlines(), self.numbers)
            if name == "bench.ndb":
                line = b"Bench.Marker-%d:0:*:%s\n" % (self.number, self.marker.hex().encode())
                lines.append(line)
                changes.append(b"ADD " + line)
            script += [b"OPEN %s\n" % name.encode(), *changes, b"CLOSE\n"]
            with open(f"{self.folder}/{name}", "wb") as file:
                file.writelines(lines)
        self.script = b"".join(script)


class Results:
    """Medians of what was measured in rounds, with units."""

    def __init__(self):
        self.values = {}

    def add(self, name, unit, value):
        self.values.setdefault((name, unit), []).append(value)

    def medians(self):
        return {f"{name}, {unit}": statistics.median(values) for (name, unit), values in self.values.items()}

    def tell(self, as_json):
        if as_json:
            return print(json.dumps(self.medians(), indent=2))
        for (name, unit), values in self.values.items():
            middle = statistics.median(values)
            digits = 2 if unit == "s" else 0
            spread = "" if len(values) < 2 else f"   ({min(values):,.{digits}f} to {max(values):,.{digits}f})"
            print(f"{name:44} {middle:>14,.{digits}f} {unit:5}{spread}")


class Measurement:
    def __init__(self, options, work):
        self.work, self.rounds, self.alone = work, options.rounds, options.alone
        self.results = Results()
        folder = f"{work}/sources/signatures"
        os.makedirs(folder)
        signatures.make(folder, options.signatures)
        self.day = Day(folder, sorted(os.listdir(folder)))
        self.place = f"{work}/repository"
        self.sample = f"{work}/sample"
        self.esets = Esets(work)
        self.clamd = None if options.alone else freshclam.Clamd(work)

    def size(self, names):
        return sum(os.path.getsize(f"{self.day.folder}/{name}") for name in names)

    def timed(self, name, roots, action):
        """Runs an action with its processes, and notes time and the most memory of all of them and of the service."""
        with processes.Peak(roots) as peak:
            begin = time.monotonic()
            action(peak)
            self.results.add(f"{name}: until it finds", "s", time.monotonic() - begin)
        self.results.add(f"{name}: memory before", "MB", peak.before)
        self.results.add(f"{name}: memory peak", "MB", peak.highest)

    def write_sample(self):
        with open(self.sample, "wb") as file:
            file.write(b"before " + self.day.marker + b" after")
        os.chmod(self.sample, 0o644)

    def run(self):
        results = self.results
        results.add("database", "bytes", self.size(self.day.names))
        self.begin_esets()
        if self.clamd:
            self.begin_clamd()
        for number in range(self.rounds):
            old = f"{self.work}/old"
            shutil.rmtree(old, ignore_errors=True)
            shutil.copytree(self.day.folder, old)
            self.day.go_on()
            self.write_sample()
            results.add("publishing a day's change", "s", publish(
                self.esets.environment, self.place, f"{self.work}/sources"))
            turns = [self.with_esets] if self.alone else [self.with_esets, self.with_freshclam]
            for turn in turns[number % len(turns):] + turns[:number % len(turns)]:
                turn()
            if self.clamd:
                self.with_script(old)
        return results

    # ---- esets

    def begin_esets(self):
        self.results.add("publishing for the first time", "s", publish(
            self.esets.environment, self.place, f"{self.work}/sources"))
        self.server = Counter(f"{self.place}/public")
        self.esets.follow(self.server.base, f"{self.place}/root.json")
        begin = time.monotonic()
        self.esets.finish_update(self.esets.begin_update())
        self.results.add("esets, everything: update", "s", time.monotonic() - begin)
        self.results.add("esets, everything", "bytes", self.server.take())
        self.esets.start()
        self.esets.finish_update(self.esets.begin_update())
        self.results.add("esets, nothing new", "bytes", self.server.take())

    def with_esets(self):
        def update(peak):
            process = self.esets.begin_update()
            peak.roots.append(process.pid)
            self.esets.finish_update(process)
            self.esets.wait_until_found(self.sample)

        self.server.take()
        self.timed("esets, a day's change", [self.esets.daemon], update)
        self.results.add("esets, a day's change", "bytes", self.server.take())

    # ---- ClamAV

    def begin_clamd(self):
        self.web = f"{self.work}/web"
        os.makedirs(self.web)
        self.put_container()
        self.downloads = Counter(self.web)
        self.freshclam = freshclam.Freshclam(self.clamd, self.downloads.base)
        self.freshclam.finish(self.freshclam.start())
        self.clamd.start()
        self.downloads.take()
        self.freshclam.finish(self.freshclam.start())
        self.results.add("freshclam, nothing new", "bytes", self.downloads.take())

    def put_container(self):
        shutil.copy(
            freshclam.container(self.day.folder, self.day.names, self.day.number + 1, self.work), f"{self.web}/.new")
        os.rename(f"{self.web}/.new", f"{self.web}/bench.cud")

    def with_freshclam(self):
        self.put_container()

        def update(peak):
            process = self.freshclam.start()
            peak.roots.append(process.pid)
            if not self.freshclam.finish(process):
                sys.exit("freshclam sees nothing new")
            self.clamd.wait_until_found(self.sample)

        self.downloads.take()
        self.timed("freshclam, the whole", [self.clamd.process.pid], update)
        self.results.add("freshclam, the whole", "bytes", self.downloads.take())

    def with_script(self, old):
        """What freshclam does with a script of changes, as far as sigtool does it; without its test of the result."""
        self.clamd.put(old, self.day.names)
        self.clamd.wait_until_found(self.sample, False)
        wanted = {name: f"{self.day.folder}/{name}" for name in self.day.names}

        def update(peak):
            self.results.add("sigtool alone", "s", freshclam.apply(self.day.script, old, self.work, peak))
            self.clamd.put(old, self.day.names)
            self.clamd.wait_until_found(self.sample)

        self.timed("script by sigtool", [self.clamd.process.pid], update)
        self.results.add("script (.cdiff)", "bytes", freshclam.script_size(self.day.script))
        freshclam.compare(old, wanted)
        self.clamd.clear()

    def stop(self):
        self.esets.stop()
        if self.clamd:
            self.clamd.stop()


def run(options):
    work = tempfile.mkdtemp(prefix="esets-bench-update-")
    os.chmod(work, 0o755)
    measurement = None
    try:
        measurement = Measurement(options, work)
        measurement.run().tell(options.json)
    finally:
        if measurement:
            measurement.stop()
        shutil.rmtree(work, ignore_errors=True)
