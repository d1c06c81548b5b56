"""Both engines behind the same protocol: a private clamd, and a private esets tree with esets_clamd."""

import concurrent.futures
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "Tests", "Real"))

SUFFIX = ".UNOFFICIAL"


class Client:
    """Asks over clamd's protocol."""

    def __init__(self, path):
        self.path = path

    def ask(self, command):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(3600)
        connection.connect(self.path)
        with connection:
            connection.sendall(b"z" + command.encode() + b"\0")
            reply = bytearray()
            while chunk := connection.recv(1 << 20):
                reply += chunk
        return [line.decode("utf-8", "replace").strip("\n") for line in bytes(reply).split(b"\0") if line]

    def scan(self, folder):
        """All matches in all files: {path: set of names}, and {path: text} of what was not scanned.

        File by file: SCAN and ALLMATCHSCAN of a directory end at its first infected file.
        """
        found, failed = {}, {}
        paths = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]

        def one(path):
            for line in self.ask(f"ALLMATCHSCAN {path}"):
                rest = line.removeprefix(path + ": ")
                if rest.endswith(" FOUND"):
                    found.setdefault(path, set()).add(rest[:-6].removesuffix(SUFFIX))
                elif rest.endswith(" ERROR"):
                    failed[path] = rest

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(one, paths))
        return found, failed


class Clamd:
    """A private clamd with the given databases: no cache, no heuristics, generous limits."""

    def __init__(self, databases):
        self.root = tempfile.mkdtemp(prefix="agree-clamd-")
        os.makedirs(f"{self.root}/db")
        for path in databases:
            os.symlink(os.path.abspath(path), f"{self.root}/db/{os.path.basename(path)}")
        with open(f"{self.root}/clamd.conf", "w") as out:
            out.write(f"""LocalSocket {self.root}/clamd.sock
DatabaseDirectory {self.root}/db
LogFile {self.root}/clamd.log
Foreground yes
DisableCache yes
HeuristicAlerts no
PhishingSignatures yes
PhishingScanURLs no
DetectPUA yes
MaxScanSize 400M
MaxFileSize 100M
MaxScanTime 0
MaxThreads 4
SelfCheck 0
User root
""")
        self.process = subprocess.Popen(
            ["clamd", f"--config-file={self.root}/clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = Client(f"{self.root}/clamd.sock")
        while not os.path.exists(self.client.path):
            if self.process.poll() is not None:
                with open(f"{self.root}/clamd.log") as log:
                    raise SystemExit("clamd did not start:\n" + log.read()[-2000:])
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)


class Esets:
    """A private esets tree with the given databases and esets_clamd."""

    def __init__(self, databases):
        import harness

        self.socket = None
        self.tree = harness.Tree(options=[
            ("global", "av_scan_app_unwanted = yes"), ("global", "av_scan_app_unsafe = yes"),
            ("clamd", "agent_enabled = yes"), ("clamd", 'run_as_user = "root"'),
        ])
        self.tree.set("clamd", f'clamd_sock_path = "{self.tree.root}/tmp/clamd.sock"')
        signatures = f"{self.tree.mirror}/signatures"
        for name in os.listdir(signatures):
            os.unlink(f"{signatures}/{name}")
        for path in databases:
            shutil.copy(path, signatures)
        self.tree.start()
        self.client = Client(f"{self.tree.root}/tmp/clamd.sock")
        if not harness.wait_until(lambda: os.path.exists(self.client.path), 30):
            raise SystemExit("esets_clamd did not start:\n" + self.tree.log_text()[-2000:])

    def stop(self):
        self.tree.remove()
