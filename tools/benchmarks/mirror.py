"""tools/bench mirror: esets_mird and nginx with the same files, in turn, so that what else the machine does hits both."""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import processes

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CONNECTIONS = 32
SIZES = {"1 KB": 1_024, "10 MB": 10 << 20}

NGINX = """
daemon off; worker_processes {workers}; pid {home}/nginx.pid; error_log {home}/nginx.err;
{user}
events {{ worker_connections 1024; }}
http {{
    sendfile on; tcp_nopush on; access_log {log}; keepalive_requests 1000000000; {cache}
    server {{ listen 127.0.0.1:{port}; root {root}; default_type application/octet-stream; }}
}}
"""


class Server:
    def __init__(self, name, home, port, command):
        self.name, self.port, self.command = name, port, command
        os.makedirs(home, exist_ok=True)
        self.output = open(os.path.join(home, "output"), "w")
        self.process = None

    def start(self):
        # A program that is not installed has no runtime beside it.
        runtime = os.path.join(os.path.dirname(os.path.realpath(shutil.which("swiftc") or "/")), "../lib/swift/linux")
        self.process = subprocess.Popen(
            self.command, stdout=self.output, stderr=self.output, env={**os.environ, "LD_LIBRARY_PATH": runtime})
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        with open(self.output.name) as file:
            sys.exit(f"{self.name} does not start: {file.read()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def memory(self):
        """Proportional set size of all its processes, in megabytes."""
        return processes.memory_megabytes([self.process.pid])[1]


def mird(work, root, logs):
    build = os.environ.get("ESETS_BUILD", f"{HERE}/.build/release")
    home, port = f"{work}/mird", processes.free_port()
    tree = f"{home}/root"
    os.makedirs(f"{tree}/etc/opt/eset/esets")
    os.makedirs(f"{tree}/var/opt/eset/esets/lib")
    os.makedirs(f"{tree}/log")
    shutil.copytree(root, f"{tree}/var/opt/eset/esets/lib/mirror")
    log = 'mird_access_log = "/log/access.log"' if logs else ""
    with open(f"{tree}/etc/opt/eset/esets/esets.cfg", "w") as file:
        file.write(f'[mird]\nlisten_addr = "127.0.0.1"\nlisten_port = {port}\nnum_thrd = {os.cpu_count()}\n{log}\n')
    return Server("esets_mird", home, port, [f"{build}/esets_mird", f"--root={tree}", "--foreground"])


def nginx(work, root, logs, cache):
    home, port = f"{work}/nginx{'-cache' if cache else ''}", processes.free_port()
    os.makedirs(home)
    with open(f"{home}/nginx.conf", "w") as file:
        file.write(NGINX.format(
            workers=os.cpu_count(), home=home, port=port, root=root, log=f"{home}/access.log" if logs else "off",
            user="user root;" if os.geteuid() == 0 else "",
            cache="open_file_cache max=2048; open_file_cache_valid 1s;" if cache else ""))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return Server("nginx, open_file_cache" if cache else "nginx", home, port,
                  [program, "-p", home, "-c", f"{home}/nginx.conf"])


def load(server, path, seconds):
    """Requests and bytes a second, and CPU seconds of the server for each request."""
    before = processes.cpu_seconds([server.process.pid])
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{server.port}/{path}"],
        capture_output=True, text=True)
    after = processes.cpu_seconds([server.process.pid])
    count = re.search(r"(\d+) requests in ([\d.]+)(m?s)", done.stdout)
    if done.returncode or not count or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"wrk: {done.stdout}{done.stderr}")
    requests, time_taken = int(count.group(1)), float(count.group(2)) / (1_000 if count.group(3) == "ms" else 1)
    return requests / time_taken, (after - before) / max(1, requests)


def run(options):
    for program in ("wrk", "nginx"):
        if not (shutil.which(program) or os.path.exists(f"/usr/sbin/{program}")):
            sys.exit(f"{program} is not installed (tools/packages test)")
    seconds = max(1, round(options.seconds))
    work = tempfile.mkdtemp(prefix="esets-bench-")
    os.chmod(work, 0o755)
    try:
        report(options, measure(options, work, seconds))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work, seconds):
    root = f"{work}/files"
    os.makedirs(root)
    for name, size in SIZES.items():
        with open(f"{root}/{name.replace(' ', '')}", "wb") as file:
            file.write(os.urandom(size))
        os.utime(file.name, (time.time() - 3_600,) * 2)
    servers = [mird(work, root, options.logs), nginx(work, root, options.logs, False),
               nginx(work, root, options.logs, True)]
    results = {server.name: {} for server in servers}
    started = []
    try:
        for server in servers:
            server.start()
            started.append(server)
        for name in SIZES:
            for server in servers:
                load(server, name.replace(" ", ""), 1)
            rounds = {server.name: [] for server in servers}
            for _ in range(options.rounds):
                for server in servers:
                    rounds[server.name].append(load(server, name.replace(" ", ""), seconds))
            for server in servers:
                rates, costs = zip(*rounds[server.name])
                results[server.name][name] = {
                    "requests_per_second": statistics.median(rates),
                    "bytes_per_second": statistics.median(rates) * SIZES[name],
                    "cpu_microseconds_per_request": statistics.median(costs) * 1e6,
                    "memory_megabytes": server.memory(),
                }
    finally:
        for server in started:
            server.stop()
    return results


def report(options, results):
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{CONNECTIONS} connections, medians of {options.rounds} rounds, access log "
          f"{'on' if options.logs else 'off'}; CPU is that of the server\n")
    print(f"{'':24}{'file':>7}{'requests/s':>12}{'MB/s':>9}{'CPU µs':>9}{'memory MB':>11}{'of nginx':>10}")
    for name in SIZES:
        for server, values in results.items():
            row = values[name]
            ratio = row["requests_per_second"] / results["nginx"][name]["requests_per_second"]
            print(f"{server:24}{name:>7}{row['requests_per_second']:>12.0f}{row['bytes_per_second'] / 1e6:>9.0f}"
                  f"{row['cpu_microseconds_per_request']:>9.1f}{row['memory_megabytes']:>11.1f}{ratio:>10.2f}")
