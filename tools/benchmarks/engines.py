"""The two engines as a client of clamd's protocol sees them: starting them on a database, scanning descriptors, memory."""

import array
import itertools
import os
import shutil
import socket
import subprocess
import threading
import time

import processes
import systems


class Connection:
    """One session (IDSESSION) over a Unix socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(600)
        self.socket.connect(path)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def reply(self):
        while b"\0" not in self.rest:
            data = self.socket.recv(4096)
            if not data:
                raise RuntimeError("the engine closed the connection")
            self.rest += data
        answer, _, self.rest = self.rest.partition(b"\0")
        return answer.decode("utf-8", "replace")

    def ping(self):
        self.socket.sendall(b"zPING\0")
        return self.reply()

    def scan(self, descriptor):
        self.socket.sendall(b"zFILDES\0")
        self.socket.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        return self.reply()


class Engine:
    """One engine with one database."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = os.path.join(directory, "engine.sock")
        self.log = os.path.join(directory, "output")
        self.process = None
        os.makedirs(directory)
        os.chmod(directory, 0o755)

    def roots(self):
        return [self.process.pid]

    def wait(self, seconds=900):
        """Until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                with Connection(self.socket) as connection:
                    if connection.ping() == "PONG":
                        return
            except (OSError, RuntimeError):
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{type(self).__name__} does not start; see {self.log}")
            time.sleep(0.01)

    def stop(self):
        if self.process:
            processes.stop(self.process)
        self.process = None


class ClamAV(Engine):
    """clamd with its cache of clean files off and limits that are above every object of the corpus."""

    name = "clamd"

    def start(self, database):
        spool = os.path.join(self.directory, "spool")
        os.makedirs(spool)
        configuration = os.path.join(self.directory, "clamd.conf")
        values = {
            "Foreground": "yes", "LocalSocket": self.socket, "DatabaseDirectory": database, "TemporaryDirectory": spool,
            "DisableCache": "yes", "SelfCheck": "0", "MaxThreads": "10", "MaxConnectionQueueLength": "200",
            "MaxScanSize": "400M", "MaxFileSize": "200M", "StreamMaxLength": "200M", "MaxScanTime": "600000",
            "MaxRecursion": "17", "CommandReadTimeout": "60", "ReadTimeout": "300", "OfficialDatabaseOnly": "no"}
        with open(configuration, "w") as file:
            file.writelines(f"{name} {value}\n" for name, value in values.items())
        began = time.monotonic()
        self.process = processes.start(["clamd", "-c", configuration], self.log)
        self.wait()
        self.load = {"seconds": time.monotonic() - began, "cpu_seconds": processes.cpu_seconds(self.roots())}

    def memory(self):
        return private_megabytes(self.process.pid)


class Esets(Engine):
    """esets with its agent for clamd's protocol: agent, scanning process and manager count."""

    name = "esets"

    def start(self, database):
        self.tree = systems.Tree(os.path.join(self.directory, "root"))
        self.tree.install()
        # Paths in esets.cfg are below the root.
        self.socket = os.path.join(self.tree.root, "tmp", "engine.sock")
        # Beside the few that come with esets: a generation must know the EICAR test file to be accepted.
        for name in os.listdir(database):
            # A link of its own: the compiler is confined to this directory.
            source, target = os.path.join(database, name), os.path.join(self.tree.signatures, name)
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, target)
        self.tree.set("global", 'log_target = "file:@CACHEDIR@/logs/esets.log"')
        for text in ("agent_enabled = yes", 'clamd_sock_path = "/tmp/engine.sock"'):
            self.tree.set("clamd", text)
        # As clamd's MaxRecursion.
        self.tree.set("global", "av_scan_max_arch_level = 17")
        began = time.monotonic()
        self.tree.command("esets_update")
        self.update = time.monotonic() - began
        self.process = processes.start(
            [f"{self.tree.sbin}/esets_daemon", f"--root={self.tree.root}", "--foreground"], self.log)
        self.wait()

    def memory(self):
        """Of the process that holds the database."""
        return max(private_megabytes(pid) for pid in processes.family(self.roots()))


def private_megabytes(pid):
    """What the process alone has: written pages, which no file backs."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith(("Private_Dirty:", "Swap:")):
                    total += int(line.split()[1])
    except OSError:
        pass
    return total / 1024


def available(engine):
    if engine is ClamAV:
        return shutil.which("clamd") is not None
    return os.path.exists(os.path.join(systems.BUILD, "esets_clamd"))


def compile_cost(root, signatures, runtime):
    """What esets_bench tells of compiling a directory into a generation of a tree."""
    done = subprocess.run(
        [os.path.join(systems.BUILD, "esets_bench"), f"--root={root}", f"--signatures={signatures}", "compile"],
        stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ, LD_LIBRARY_PATH=runtime))
    return done.stdout


def scan_inside(root, corpus, threads, limit, runtime):
    """What esets_bench tells of scanning inside one process."""
    done = subprocess.run(
        [os.path.join(systems.BUILD, "esets_bench"), f"--root={root}", f"--corpus={corpus}", f"--threads={threads}",
         f"--limit={limit}", "scan"],
        stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ, LD_LIBRARY_PATH=runtime))
    return done.stdout


def scan_all(engine, paths, clients, seconds, again=False):
    """Scans files with so many clients at once, in order, until all are done or the time is over; or again until it is over.

    Returns a dictionary; `files` says how many were done."""
    lock, times, found, errors = threading.Lock(), [], set(), []
    following = itertools.cycle(paths) if again else iter(paths)
    end = time.monotonic() + seconds
    done_bytes = 0

    def work():
        nonlocal done_bytes
        with Connection(engine.socket) as connection:
            connection.socket.sendall(b"zIDSESSION\0")
            while time.monotonic() < end:
                with lock:
                    path = next(following, None)
                if path is None:
                    return
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    began = time.perf_counter()
                    answer = connection.scan(descriptor)
                    took = time.perf_counter() - began
                finally:
                    os.close(descriptor)
                with lock:
                    times.append(took)
                    done_bytes += os.path.getsize(path)
                    if answer.endswith("FOUND"):
                        found.add(os.path.basename(path))
                    elif not answer.endswith("OK"):
                        errors.append(answer)

    before, began = processes.cpu_seconds(engine.roots()), time.monotonic()
    workers = [threading.Thread(target=work) for _ in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall, cpu = time.monotonic() - began, processes.cpu_seconds(engine.roots()) - before
    times.sort()
    megabytes = done_bytes / 1e6
    return {
        "files": len(times), "megabytes": megabytes, "seconds": wall, "cpu_seconds": cpu,
        "mb_per_cpu_second": megabytes / max(cpu, 1e-6), "mb_per_second": megabytes / max(wall, 1e-6),
        "p50_ms": 1000 * times[len(times) // 2] if times else None,
        "p99_ms": 1000 * times[min(len(times) - 1, int(len(times) * 0.99))] if times else None,
        "found": sorted(found), "errors": errors[:5], "error_count": len(errors)}
