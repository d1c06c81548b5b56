"""The systems that mail is sent through. Each knows how to start itself, where it listens, and its processes."""

import os
import re
import shutil
import socket
import subprocess
import time

import processes

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ESETS_BUILD") or os.path.join(REPOSITORY, ".build", "release")
# The files of a directory of signatures that both engines are given.
COMMON_KINDS = (".hdb", ".hsb", ".mdb", ".msb", ".ndb", ".ldb", ".fp", ".ign2")
ONE_SIGNATURE = "44d88612fea8a8f36de82e1278abb02f:68:Bench.One\n"


class System:
    """One system under test; `title` says what it is."""

    def __init__(self, title, directory, sink):
        self.title = title
        self.directory = directory
        self.sink = sink
        self.port = processes.free_port()
        self.running = []
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)

    @property
    def log(self):
        return os.path.join(self.directory, "output")

    def launch(self, *arguments, **more):
        process = processes.start(list(arguments), self.log, **more)
        self.running.append(process)
        return process

    def roots(self):
        return [process.pid for process in self.running]

    def stop(self):
        for process in reversed(self.running):
            processes.stop(process)
        self.running = []


class Direct(System):
    """No system between: the mail goes straight to the sink, whose cost is told."""

    def __init__(self, title, directory, sink):
        super().__init__(title, directory, sink)
        self.port = sink.port

    def start(self):
        pass

    def roots(self):
        return self.sink.roots()


class Sink(System):
    """The end of the line: smtp-sink takes everything and keeps nothing."""

    def __init__(self, directory):
        super().__init__("sink", directory, None)

    def start(self):
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        process = self.launch("smtp-sink", *user, f"127.0.0.1:{self.port}", "256")
        processes.wait_for_port(self.port, process)


class NullProxy(System):
    def start(self):
        program = os.path.join(self.directory, "null-proxy")
        subprocess.run(
            ["cc", "-O2", "-D_GNU_SOURCE", "-pthread", "-o", program,
             os.path.join(REPOSITORY, "tools", "benchmarks", "null-proxy.c")], check=True)
        process = self.launch(program, str(self.port), str(self.sink.port))
        processes.wait_for_port(self.port, process)


class Tree:
    """An installed esets under a private root."""

    def __init__(self, root):
        self.root = root
        self.sbin = f"{root}/opt/eset/esets/sbin"
        self.lib = f"{root}/opt/eset/esets/lib"
        self.signatures = f"{root}/var/opt/eset/esets/lib/mirror/signatures"

    def install(self):
        os.makedirs(self.root)
        os.chmod(self.root, 0o755)
        subprocess.run(
            [f"{REPOSITORY}/tools/install", self.root], check=True, env=dict(os.environ, ESETS_BUILD=BUILD))

    def command(self, name, *arguments):
        done = subprocess.run([f"{self.sbin}/{name}", f"--root={self.root}", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def set(self, section, text):
        self.command("esets_set", f"--section={section}", f"--set={text}")


class Esets(System):
    """esets as it is installed, with the agent smtp: daemon, scanning process and agent count."""

    def __init__(self, title, directory, sink, signatures=(), options=()):
        super().__init__(title, directory, sink)
        self.signature_files = signatures
        self.options = options
        self.tree = Tree(os.path.join(directory, "root"))

    def start(self):
        tree = self.tree
        tree.install()
        for path in self.signature_files:
            shutil.copy(path, tree.signatures)
        tree.set("global", 'log_target = "file:@CACHEDIR@/logs/esets.log"')
        for text in ("agent_enabled = yes", 'listen_addr = "127.0.0.1"', f"listen_port = {self.port}",
                     'server_addr = "127.0.0.1"', f"server_port = {self.sink.port}", *self.options):
            tree.set("smtp", text)
        tree.command("esets_update")
        process = self.launch(f"{tree.sbin}/esets_daemon", f"--root={tree.root}", "--foreground")
        processes.wait_for_port(self.port, process)
        end = time.monotonic() + 60
        loaded = re.compile(r"scanner id=\d+ generation=[1-9]")
        while not loaded.search(tree.command("esets_daemon", "--status")) and time.monotonic() < end:
            time.sleep(0.2)


class ClamAV(System):
    """clamsmtp with a clamd of its own; clamd's cache of clean files is off, because esets has none."""

    def __init__(self, title, directory, sink, signatures=None):
        super().__init__(title, directory, sink)
        self.signature_files = signatures

    def start(self):
        database = os.path.join(self.directory, "db")
        spool = os.path.join(self.directory, "spool")
        os.makedirs(database)
        os.makedirs(spool)
        if self.signature_files is None:
            with open(os.path.join(database, "one.hdb"), "w") as file:
                file.write(ONE_SIGNATURE)
        else:
            for path in self.signature_files:
                shutil.copy(path, database)
        unix = os.path.join(self.directory, "clamd.sock")
        with open(os.path.join(self.directory, "clamd.conf"), "w") as file:
            file.write(
                f"Foreground yes\nLocalSocket {unix}\nDatabaseDirectory {database}\nTemporaryDirectory {spool}\n"
                "DisableCache yes\nSelfCheck 0\nBytecode no\nMaxThreads 10\nOfficialDatabaseOnly no\n")
        with open(os.path.join(self.directory, "clamsmtpd.conf"), "w") as file:
            file.write(
                f"OutAddress: 127.0.0.1:{self.sink.port}\nListen: 127.0.0.1:{self.port}\nClamAddress: {unix}\n"
                f"TempDirectory: {spool}\nHeader: X-Virus-Scanned: ClamAV using ClamSMTP\n")
        clamd = self.launch("clamd", "-c", os.path.join(self.directory, "clamd.conf"))
        end = time.monotonic() + 120
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(unix)
                    break
                except OSError:
                    if clamd.poll() is not None or time.monotonic() > end:
                        raise RuntimeError(f"clamd does not start; see {self.log}") from None
            time.sleep(0.2)
        process = self.launch("clamsmtpd", "-f", os.path.join(self.directory, "clamsmtpd.conf"), "-d", "1")
        processes.wait_for_port(self.port, process)
