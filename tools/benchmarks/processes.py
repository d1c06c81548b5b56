"""What processes cost, from /proc, and how they are started and stopped."""

import os
import signal
import socket
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    with open(f"/proc/{pid}/stat") as file:
        # The name in parentheses may hold anything.
        return file.read().rpartition(")")[2].split()


def family(roots):
    """These processes and everything they started that still runs."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(_stat(name)[1]), []).append(int(name))
        except (OSError, IndexError):
            continue
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(roots):
    """User and system time of these processes and their children, those that ended and were waited for included."""
    total = 0
    for pid in family(roots):
        try:
            # The process's own clock (clock_getcpuclockid(3)) counts nanoseconds, where stat counts ticks.
            own = time.clock_gettime((~pid << 3) | 2)
            fields = _stat(pid)
        except OSError:
            continue
        total += own + (int(fields[13]) + int(fields[14])) / TICK
    return total


def memory_megabytes(roots):
    """(resident, proportional): pages that processes share count fully in each, or once altogether."""
    resident = proportional = 0
    for pid in family(roots):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                for line in file:
                    if line.startswith("Rss:"):
                        resident += int(line.split()[1])
                    elif line.startswith("Pss:"):
                        proportional += int(line.split()[1])
        except OSError:
            continue
    return resident / 1024, proportional / 1024


class Peak:
    """The most memory that processes have together while this is open: proportional megabytes, looked at again and
    again. More roots may be appended meanwhile."""

    def __init__(self, roots, pause=0.1):
        self.roots, self.pause = list(roots), pause
        self.before = self.highest = 0
        self.is_over = threading.Event()

    def __enter__(self):
        self.before = self.highest = memory_megabytes(self.roots)[1]
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self):
        while not self.is_over.wait(self.pause):
            self.highest = max(self.highest, memory_megabytes(self.roots)[1])

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                # A proxy greets when its server has greeted.
                connection.settimeout(5)
                if connection.recv(4)[:3] == b"220":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{process.args[0]}: nothing answers on port {port}")


def start(arguments, log, **more):
    with open(log, "ab") as output:
        return subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **more)


def stop(process):
    """Ends a process that `start` started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
