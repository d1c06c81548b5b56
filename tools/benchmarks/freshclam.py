"""freshclam, sigtool and clamd over folders of their own: how ClamAV brings a database up to date.

freshclam takes a container (.cvd) and a script of changes (.cdiff) only with signatures by a key that is built in, so
neither can be made here: it says "cli_decodesig: Resulting signature too large" and "Can't verify database integrity".
So the full download is that of freshclam with the same container without a signature (.cud, by sigtool) as
DatabaseCustomURL: it fetches, loads as a test, installs, and tells clamd. The script of changes is one that sigtool
applies; a .cdiff is that, compressed by gzip, with a head and a signature.
"""

import gzip
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time

# "ClamAV-Diff:VERSION:SIZE:" in front, ":" and 2048 bits with six to a character behind.
CDIFF_FRAME = 30 + 1 + 342


class Clamd:
    """clamd over a folder of its own."""

    def __init__(self, work):
        self.home = f"{work}/clamd"
        self.data = f"{self.home}/data"
        os.makedirs(self.data)
        for path in (self.home, self.data):
            os.chmod(path, 0o777)
        self.socket = f"{self.home}/socket"
        self.configuration = f"{self.home}/clamd.conf"
        with open(self.configuration, "w") as file:
            file.write(f"DatabaseDirectory {self.data}\nLocalSocket {self.socket}\nForeground yes\nSelfCheck 0\n"
                       "ConcurrentDatabaseReload yes\nOfficialDatabaseOnly no\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["clamd", f"--config-file={self.configuration}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 300
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

    def wait_until_found(self, path, found=True):
        end = time.monotonic() + 300
        while (b"FOUND" in self.ask(f"SCAN {path}")) != found:
            if time.monotonic() > end:
                sys.exit("clamd does not load the database")
            time.sleep(0.02)

    def clear(self):
        for name in os.listdir(self.data):
            if not name.startswith("freshclam"):
                os.remove(f"{self.data}/{name}")

    def put(self, folder, names):
        """Gives it these files and no others, and makes it load them."""
        for name in names:
            shutil.copy(f"{folder}/{name}", f"{self.home}/{name}")
        self.clear()
        for name in names:
            os.rename(f"{self.home}/{name}", f"{self.data}/{name}")
        self.ask("RELOAD")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)


def container(folder, names, version, work):
    """The files in one container, as ClamAV's are, without a signature; its path."""
    place = f"{work}/container"
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for name in names:
        shutil.copy(f"{folder}/{name}", place)
    open(f"{place}/COPYING", "w").close()
    done = subprocess.run(
        ["sigtool", "--build=bench.cud", "--unsigned", f"--cvd-version={version}", "--no-cdiff", f"--datadir={place}"],
        cwd=place, input=b"bench\n", capture_output=True)
    if not os.path.exists(f"{place}/bench.cud"):
        sys.exit(f"sigtool: {done.stdout.decode()[-500:]}{done.stderr.decode()[-500:]}")
    return f"{place}/bench.cud"


def script_size(script):
    return len(gzip.compress(script, 9)) + CDIFF_FRAME


def apply(script, folder, work, peak):
    """Lets sigtool apply a script to the files of a folder; the seconds that it took."""
    with open(f"{work}/bench-2.script", "wb") as file:
        file.write(script)
    begin = time.monotonic()
    # It fails in the end, when it looks for a container to compare its result with: see `compare`.
    process = subprocess.Popen(
        ["sigtool", f"--run-cdiff={work}/bench-2.script"], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    peak.roots.append(process.pid)
    process.wait()
    return time.monotonic() - begin


def compare(folder, wanted):
    for name in wanted:
        with open(f"{folder}/{name}", "rb") as one, open(wanted[name], "rb") as other:
            if one.read() != other.read():
                sys.exit(f"sigtool did not make {name}")


class Freshclam:
    """freshclam that fetches one container, and tells clamd."""

    def __init__(self, clamd, base):
        self.configuration = f"{clamd.home}/freshclam.conf"
        owner = pwd.getpwuid(os.geteuid()).pw_name
        with open(self.configuration, "w") as file:
            file.write(f"DatabaseDirectory {clamd.data}\nDatabaseOwner {owner}\nDatabaseMirror {base}\n"
                       f"DatabaseCustomURL {base}/bench.cud\nNotifyClamd {clamd.configuration}\n")

    def start(self):
        return subprocess.Popen(
            ["freshclam", f"--config-file={self.configuration}", "--update-db=custom", "--stdout"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    @staticmethod
    def finish(process):
        output = process.communicate()[0].decode()
        if process.returncode != 0 or not re.search(r"bench\.cud (updated|is up-to-date)", output):
            sys.exit(f"freshclam: {output[-1000:]}")
        return "updated" in output
