"""One esets under a private root, and what a scan of a file by it ends in and takes."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "benchmarks"))
import processes  # noqa: E402
import systems  # noqa: E402


class Peak:
    """The most anonymous memory that one of some processes and their children had while a block ran."""

    def __init__(self, roots):
        self.roots, self.megabytes = roots, 0

    def __enter__(self):
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        pids, until = [], 0
        while not self.ended.wait(0.02):
            if time.monotonic() > until:
                pids, until = processes.family(self.roots), time.monotonic() + 0.5
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/status") as file:
                        for line in file:
                            if line.startswith("RssAnon:"):
                                self.megabytes = max(self.megabytes, int(line.split()[1]) >> 10)
                except OSError:
                    pass

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Service:
    """An installed esets whose daemon runs; files are scanned with esets_scan."""

    def __init__(self, options=()):
        self.place = tempfile.mkdtemp(prefix="esets-scans-")
        os.chmod(self.place, 0o755)
        self.tree = systems.Tree(os.path.join(self.place, "root"))
        self.tree.install()
        self.tree.set("global", 'log_target = "file:@CACHEDIR@/logs/esets.log"')
        for text in options:
            self.tree.set("global", text)
        self.tree.command("esets_update")
        self.process = processes.start(
            [f"{self.tree.sbin}/esets_daemon", f"--root={self.tree.root}", "--foreground"], f"{self.place}/output")
        end = time.monotonic() + 60
        while subprocess.run([f"{self.tree.sbin}/esets_daemon", f"--root={self.tree.root}", "--status"],
                             capture_output=True).returncode and time.monotonic() < end:
            time.sleep(0.1)

    def close(self):
        processes.stop(self.process)
        shutil.rmtree(self.place, ignore_errors=True)

    def scan(self, path, seconds=300):
        """What the scan of a file says: {code, reasons, threats, seconds, megabytes}."""
        began = time.monotonic()
        with Peak([self.process.pid]) as peak:
            done = subprocess.run(
                [f"{self.tree.sbin}/esets_scan", f"--root={self.tree.root}", "--clean-mode=none", "--json", path],
                capture_output=True, timeout=seconds)
        lines = [json.loads(line) for line in done.stdout.decode(errors="replace").splitlines() if line.startswith("{")]
        file = next((line for line in lines if line["type"] == "file"), {})
        return {
            "code": done.returncode, "seconds": time.monotonic() - began, "megabytes": peak.megabytes,
            "reasons": sorted({reason["reason"] for reason in file.get("not_scanned", [])}),
            "threats": sorted({threat["name"] for threat in file.get("threats", [])}),
            "problem": file.get("problem", "") or done.stderr.decode(errors="replace")[-200:]}
