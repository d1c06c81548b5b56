"""tools/bench containers: what opening containers costs, in both engines and in libarchive alone."""

import ctypes
import ctypes.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import corpus
import engines

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "containers"))
import archives  # noqa: E402
import documents  # noqa: E402,F401
import messages  # noqa: E402,F401
from tool import Unavailable  # noqa: E402

# What is measured, by the names of tools/corpus, and the ratio to clamd that the engine is held to.
FORMATS = {
    "zip-deflate": 3, "gzip": 3, "mail-base64": 3, "mail-quoted-printable": 3, "mail-uuencode": None, "tar-gnu": None,
    "bzip2": None, "xz": None, "zstd": None, "7z-lzma2": None, "7z-bzip2": None, "cab-mszip": None, "arj": None,
    "lha-lh5": None, "cpio-newc": None, "iso-joliet": None, "pdf-flate": None, "ole-package": None, "docx-media": None,
    "rtf": None, "tnef": None, "mail-nested": None,
}


def run(options):
    work = tempfile.mkdtemp(prefix="esets-containers-")
    os.chmod(work, 0o755)
    results, running = [], []
    try:
        contents = make_contents()
        database = os.path.join(work, "database")
        os.makedirs(database)
        with open(os.path.join(database, "one.hdb"), "w") as file:
            file.write("44d88612fea8a8f36de82e1278abb02f:68:Bench.One\n")
        for kind in (engines.ClamAV, engines.Esets):
            if engines.available(kind) and not (kind is engines.ClamAV and options.alone):
                running.append(kind(os.path.join(work, kind.name)))
                running[-1].start(database)
        if not options.json:
            print(f"{len(contents)} files of {len(contents[0]) >> 10} KiB in each format; MB of unpacked data per CPU-second")
            print(f"{'format':22}" + "".join(f"{engine.name:>10}" for engine in running) + f"{'libarchive':>12}{'ratio':>8}")
        for label in options.formats.split(",") if options.formats else FORMATS:
            result = measure(options, work, label, contents, running)
            results.append(result)
            if not options.json:
                tell(result, running)
        if options.json:
            print(json.dumps(results, indent=2))
    except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"tools/bench: {error}")
    finally:
        for engine in running:
            engine.stop()
        shutil.rmtree(work, ignore_errors=True)


def make_contents():
    """Half text, half what programs and pictures look like; each file another."""
    made = []
    for number in range(48):
        dice = random.Random(f"containers|{number}")
        made.append((corpus.html(dice, 512 << 10).encode() if number % 2 else corpus.mixture(dice, 512 << 10))[:512 << 10])
    return made


def measure(options, work, label, contents, running):
    extension, maker = archives.FORMATS[label]
    paths = []
    try:
        for number, content in enumerate(contents):
            path = os.path.join(work, f"{number}.{extension}")
            with open(path, "wb") as out:
                out.write(maker(f"file{number}.bin", content))
            paths.append(path)
    except Unavailable as problem:
        return {"format": label, "problem": str(problem)}
    megabytes = sum(len(content) for content in contents) / 1e6
    result = {"format": label}
    for engine in running:
        # The quickest of some rounds: others share the machine.
        best = None
        for _ in range(options.rounds):
            scan = engines.scan_all(engine, paths, 1, 600)
            if scan["error_count"]:
                raise RuntimeError(f"{label}: {engine.name}: {scan['errors']}")
            best = min(best or scan["cpu_seconds"], scan["cpu_seconds"])
        result[engine.name] = megabytes / best
    result["libarchive"] = libarchive(label, paths, megabytes, options.rounds)
    if "clamd" in result and "esets" in result:
        result["ratio"] = result["esets"] / result["clamd"]
    for path in paths:
        os.remove(path)
    return result


STREAMS = ("gzip", "bzip2", "xz", "zstd", "lzma", "lz4", "lzip")


def libarchive(label, paths, megabytes, rounds):
    """bsdtar's library alone: every entry read, in this process; None for what it does not open."""
    name = ctypes.util.find_library("archive")
    if not name or label.startswith("mail"):
        return None
    library = ctypes.CDLL(name)
    library.archive_read_new.restype = ctypes.c_void_p
    library.archive_read_data.restype = ctypes.c_ssize_t
    buffer = ctypes.create_string_buffer(65536)
    best = None
    for _ in range(rounds):
        began, total = time.process_time(), 0
        for path in paths:
            archive, entry = ctypes.c_void_p(library.archive_read_new()), ctypes.c_void_p()
            library.archive_read_support_filter_all(archive)
            if label in STREAMS:
                library.archive_read_support_format_raw(archive)
            else:
                library.archive_read_support_format_all(archive)
            if library.archive_read_open_filename(archive, path.encode(), 65536) == 0:
                while library.archive_read_next_header(archive, ctypes.byref(entry)) == 0:
                    while (count := library.archive_read_data(archive, buffer, 65536)) > 0:
                        total += count
            library.archive_read_free(archive)
        took = time.process_time() - began
        if total / 1e6 < megabytes * 0.99:
            return None
        best = min(best or took, took)
    return megabytes / best


def tell(result, running):
    if "problem" in result:
        print(f"{result['format']:22}  not made: {result['problem']}")
        return
    wanted = FORMATS.get(result["format"])
    line = f"{result['format']:22}" + "".join(f"{result[engine.name]:10.1f}" for engine in running)
    line += f"{result['libarchive']:12.1f}" if result["libarchive"] else f"{'-':>12}"
    if "ratio" in result:
        line += f"{result['ratio']:8.1f}" + (f" (wanted {wanted})" if wanted else "")
    print(line, flush=True)
