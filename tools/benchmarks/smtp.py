"""tools/bench smtp: mail through several systems, in turn, so that what else the machine does hits all alike."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import samples
import processes
import systems

SESSIONS = 10
NAMES = ["direct", "null", "accept", "esets", "clamav", "esets-many", "clamav-many"]


def make(name, work, sink, many):
    """The system of this name; None when something that it needs is missing."""
    directory = os.path.join(work, name)
    common = [path for path in many if path.endswith(systems.COMMON_KINDS)]
    has_clamav = shutil.which("clamsmtpd") and shutil.which("clamd")
    if name == "direct":
        return systems.Direct("straight to the sink (cost of the sink)", directory, sink)
    if name == "null":
        return systems.NullProxy("null proxy in C", directory, sink)
    if name == "accept":
        return systems.Esets("esets, action_av = accept", directory, sink, options=['action_av = "accept"'])
    if name == "esets":
        one = os.path.join(work, "one.hdb")
        with open(one, "w") as file:
            file.write(systems.ONE_SIGNATURE)
        return systems.Esets("esets, 1 signature", directory, sink, [one])
    if name == "esets-many":
        return systems.Esets("esets, many signatures", directory, sink, common) if many else None
    if not has_clamav:
        return None
    if name == "clamav":
        return systems.ClamAV("clamsmtp+clamd, 1 signature", directory, sink)
    if name == "clamav-many":
        return systems.ClamAV("clamsmtp+clamd, the same", directory, sink, common) if many else None
    raise ValueError(name)


def send(port, paths, count, kept=False):
    """Sends about `count` messages, the given ones in turn, with a connection for each or with connections that are
    kept for all messages of a kind; returns how many and in what time."""
    each = max(1, round(count / len(paths)))
    began = time.monotonic()
    for path in paths:
        done = subprocess.run(
            ["smtp-source", *(["-d"] if kept else []), "-s", str(min(SESSIONS, each)), "-m", str(each), "-f", "sender@example.org",
             "-t", "rcpt@example.com", "-F", path, f"127.0.0.1:{port}"], capture_output=True, text=True)
        if done.returncode or done.stderr:
            raise RuntimeError(f"smtp-source: {done.stderr.strip() or done.returncode}")
    return each * len(paths), time.monotonic() - began


def measure(system, paths, count, kept):
    before = processes.cpu_seconds(system.roots())
    sent, seconds = send(system.port, paths, count, kept)
    # What is cleaned up after the last reply belongs to the messages too.
    time.sleep(0.1)
    return sent, seconds, processes.cpu_seconds(system.roots()) - before


def run(options):
    directory = os.environ.get("ESETS_BENCH_SIGNATURES")
    many = sorted(entry.path for entry in os.scandir(directory) if entry.is_file()) if directory else []
    wanted = options.systems.split(",") if options.systems else NAMES
    sizes = [int(size) for size in options.sizes.split(",")]
    work = tempfile.mkdtemp(prefix="esets-bench-")
    os.chmod(work, 0o755)
    started = []
    try:
        sink = systems.Sink(os.path.join(work, "sink"))
        started.append(sink)
        sink.start()
        under_test = {}
        for name in NAMES:
            system = make(name, work, sink, many) if name in wanted else None
            if system is None:
                continue
            print(f"starting: {system.title}", file=sys.stderr)
            started.append(system)
            system.start()
            under_test[name] = system
        results = measure_all(under_test, sizes, work, options)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"tools/bench: {error}")
    finally:
        for system in reversed(started):
            system.stop()
        if not os.environ.get("ESETS_BENCH_KEEP"):
            shutil.rmtree(work, ignore_errors=True)
    results["signatures"] = [os.path.basename(path) for path in many if path.endswith(systems.COMMON_KINDS)]
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        tell(results)


def measure_all(under_test, sizes, work, options):
    """Rounds over all systems; how many messages one measurement takes is found out before."""
    figures = {}
    modes = {"each": [False], "kept": [True], "both": [False, True]}[options.connections]
    for size, kept in [(size, kept) for size in sizes for kept in modes]:
        paths = samples.write(work, size)
        actual = sum(os.path.getsize(path) for path in paths) / len(paths)
        counts = {}
        for name, system in under_test.items():
            send(system.port, paths, 16, kept)
            sent, seconds = send(system.port, paths, 24, kept)
            while seconds < options.seconds / 4:
                sent, seconds = send(system.port, paths, sent * 4, kept)
            counts[name] = max(24, options.seconds * sent / seconds)
        rounds = {name: [] for name in under_test}
        for number in range(options.rounds):
            # The other way round each second time.
            order = list(under_test) if number % 2 == 0 else list(reversed(under_test))
            for name in order:
                print(f"{label(size, kept)}, round {number + 1}: {under_test[name].title}", file=sys.stderr)
                rounds[name].append(measure(under_test[name], paths, counts[name], kept))
        for name, runs in rounds.items():
            costs = [cpu * 1000 / sent for sent, _, cpu in runs]
            entry = figures.setdefault(name, {"title": under_test[name].title, "cases": {}})
            entry["cases"][label(size, kept)] = {
                "kilobytes": size,
                "connections": "kept" if kept else "each",
                "message_bytes": round(actual),
                "messages_per_second": statistics.median(sent / seconds for sent, seconds, _ in runs),
                "cpu_ms_per_message": statistics.median(costs),
                "cpu_ms_lowest": min(costs),
                "cpu_ms_highest": max(costs),
                "messages": sum(sent for sent, _, _ in runs),
            }
    for name, system in under_test.items():
        resident, proportional = processes.memory_megabytes(system.roots())
        figures[name]["resident_mb"] = resident
        figures[name]["proportional_mb"] = proportional
    ratios = []
    for left, right in [("esets", "clamav"), ("esets-many", "clamav-many"),
                        ("accept", "null")]:
        if left in figures and right in figures:
            for case, row in figures[left]["cases"].items():
                cost = [figures[name]["cases"][case]["cpu_ms_per_message"] for name in (left, right)]
                ratios.append({
                    "of": figures[left]["title"], "to": figures[right]["title"], "case": case,
                    "kilobytes": row["kilobytes"], "connections": row["connections"],
                    "ratio": cost[1] / cost[0] if cost[0] else None})
    return {"sessions": SESSIONS, "rounds": options.rounds, "systems": figures, "ratios": ratios}


def label(size, kept):
    return f"{size} KB kept" if kept else f"{size} KB"


def tell(results):
    print(f"Medians of {results['rounds']} rounds, {results['sessions']} sessions; a connection for each message, or, "
          "where it says so, kept connections.\n")
    print(f"{'system':42} {'messages':>11} {'msg/s':>8} {'CPU ms/msg':>11} {'lowest–highest':>17} {'msg/CPU-s':>10} {'MB':>7}")
    for entry in results["systems"].values():
        title, memory = entry["title"], f"{entry['proportional_mb']:.0f}"
        for case, row in entry["cases"].items():
            cost = row["cpu_ms_per_message"]
            spread = f"{row['cpu_ms_lowest']:.3f}–{row['cpu_ms_highest']:.3f}"
            print(f"{title:42} {case:>11} {row['messages_per_second']:8.0f} {cost:11.3f} {spread:>17} "
                  f"{1000 / cost if cost else 0:10.0f} {memory:>7}")
            title = memory = ""
    print("\nMB: memory of all its processes, shared pages counted once.\n\nMessages per CPU-second, as ratios:")
    for row in results["ratios"]:
        print(f"  {row['case']:>11}  {row['of']} : {row['to']} = {row['ratio']:.2f}")
