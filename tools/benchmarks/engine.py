"""tools/bench engine: both engines with the same signatures on the same objects, by the same client."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import corpus
import engines
import signatures
import systems

COUNTS = {"1": 1, "10k": 10_000, "100k": 100_000, "1M": 1_000_000, "5M": 5_000_000, "8M": 8_000_000}
# Ratios to clamd that the engine is held to, by object and size of the database.
WANTED = {("mail", "1"): 6, ("mail", "1M"): 50, ("mail", "real"): 250,
          ("programs", "1"): 5, ("programs", "1M"): 12, ("programs", "real"): 80}


def run(options):
    work = options.work or tempfile.mkdtemp(prefix="esets-engine-")
    os.makedirs(work, exist_ok=True)
    os.chmod(work, 0o755)
    results = []
    try:
        objects = options.corpus or os.path.join(work, "corpus")
        if not options.corpus:
            corpus.make(objects)
        tell(options, "corpus: " + ", ".join(
            "{} {} files {:.0f} MB".format(kind, *(value if index == 0 else value / 1e6 for index, value in
                                                    enumerate(corpus.digest(os.path.join(objects, kind))[:2])))
            for kind in options.objects))
        for name in options.databases.split(","):
            results.append(measure(options, work, objects, name))
        if options.json:
            print(json.dumps(results, indent=2))
    except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"tools/bench: {error}")
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    return results


def tell(options, line):
    if not options.json:
        print(line, flush=True)


def database(options, work, name):
    """The directory of a database, made when it is not there."""
    if name == "real":
        if not options.real:
            raise RuntimeError("the database 'real' needs --real=DIRECTORY")
        return options.real
    count, _, profile = name.partition("-")
    directory = os.path.join(work, "databases", name)
    if not os.path.isdir(directory):
        signatures.make(directory + ".new", COUNTS.get(count) or int(count), profile or "official")
        os.rename(directory + ".new", directory)
    return directory


def measure(options, work, objects, name):
    """One database: compile, load, memory, then the objects with both engines."""
    source = database(options, work, name)
    result = {"database": name, "compile": compiled(work, source), "scans": []}
    cost = result["compile"]
    tell(options, f"\n{name}: {cost['signatures']} signatures of {source}")
    tell(options, "  compile {seconds:.2f} s, CPU {cpu_seconds:.2f} s, peak memory {peak:.0f} MB; module {module:.1f} MB".format(
        peak=cost["peak_rss_kb"] / 1024, module=cost["module_bytes"] / 1e6, **cost))
    running = []
    try:
        for kind in (engines.ClamAV, engines.Esets):
            if not engines.available(kind) or (kind is engines.ClamAV and options.alone):
                continue
            place = tempfile.mkdtemp(prefix=kind.name + "-", dir=work)
            # The compiler and the scanning process run as another user.
            os.chmod(place, 0o755)
            engine = kind(os.path.join(place, "run"))
            running.append(engine)
            engine.start(source)
        for kind in options.objects:
            for clients in options.clients:
                result["scans"].append(compare(options, work, running, os.path.join(objects, kind), name, kind, clients))
        result["private_mb"] = {engine.name: engine.memory() for engine in running}
        result["inside"] = inside(work, objects, options)
        tell(options, "  private memory after all: " + ", ".join(
            f"{engine} {value:.1f} MB" for engine, value in result["private_mb"].items()))
        tell(options, "  esets loads in {load_ms:.2f} ms, private memory {private_kb} KB (in one process)".format(
            **result["inside"][0]))
        for line in result["inside"]:
            tell(options, "  inside one process: {objects} {mb_per_cpu_second:.0f} MB per CPU-second, "
                          "p50 {p50_ms:.2f} p99 {p99_ms:.2f} ms".format(**line))
        for engine in running:
            if engine.name == "clamd":
                tell(options, "  clamd starts in {seconds:.1f} s, CPU {cpu_seconds:.1f} s".format(**engine.load))
                result["clamd_start"] = engine.load
    finally:
        for engine in running:
            engine.stop()
            shutil.rmtree(os.path.dirname(engine.directory), ignore_errors=True)
    return result


def tree(work):
    """The tree in which databases are compiled, and its Swift runtime."""
    place = systems.Tree(os.path.join(work, "tree"))
    if not os.path.isdir(place.root):
        place.install()
        place.command("esets_update")
    return place


def compiled(work, source):
    place = tree(work)
    return json.loads(engines.compile_cost(place.root, source, place.lib))


def inside(work, objects, options):
    """The same objects without sockets, in the generation that was compiled last."""
    place = tree(work)
    lines = []
    for kind in options.objects:
        line = json.loads(engines.scan_inside(place.root, os.path.join(objects, kind), 1, 0, place.lib))
        line["objects"] = kind
        lines.append(line)
    return lines


def compare(options, work, running, directory, name, kind, clients):
    """The same files with each engine: as many as clamd does in the time; esets does them again and again for as long."""
    paths = spread([os.path.join(directory, entry) for entry in sorted(os.listdir(directory))])
    scan = {"objects": kind, "clients": clients}
    for engine in running:
        engines.scan_all(engine, paths[:1], 1, options.seconds)
        # A hundredth of a second would measure what is read for the first time, and the clock.
        again = engine.name == "esets"
        scan[engine.name] = engines.scan_all(engine, paths, clients, options.seconds, again)
        # The next engine gets those that this one has done.
        paths = paths[:max(1, scan[engine.name]["files"])]
    both = "clamd" in scan and "esets" in scan
    scan["ratio"] = scan["esets"]["mb_per_cpu_second"] / scan["clamd"]["mb_per_cpu_second"] if both else None
    wanted = WANTED.get((kind, name))
    parts = [f"{engine.name} {scan[engine.name]['mb_per_cpu_second']:.2f} MB per CPU-second "
             f"(p50 {scan[engine.name]['p50_ms']:.2f} p99 {scan[engine.name]['p99_ms']:.2f} ms, "
             f"{len(scan[engine.name]['found'])} found, {scan[engine.name]['error_count']} errors)" for engine in running]
    if both:
        parts.append(f"{scan['ratio']:.1f} x" + (f" (wanted {wanted})" if wanted else ""))
        if scan["clamd"]["found"] != scan["esets"]["found"]:
            parts.append("verdicts differ")
    tell(options, f"  {kind}, {clients} at once: " + "; ".join(parts))
    return scan


def spread(paths):
    """Every eighth, then the ones behind them, and so on: any beginning is a sample of all."""
    return [path for start in range(8) for path in paths[start::8]]
