"""Both engines over a directory of files, with the same signature, and the table of what each detects."""

import ast
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(REPOSITORY, "tools", "benchmarks"))
import engines  # noqa: E402

TEST_FILES = "/usr/share/clamav-testfiles"
# What Debian's test files need that em003 does not do: executable packers other than UPX, by the name of the file.
PACKERS = ("aspack", "fsg", "mew", "pespin", "petite", "upack", "wwpack", "yc")


@contextlib.contextmanager
def running(signatures):
    """clamd, when it is installed, and esets, each with these signatures alone: {name: engine}. `signatures` are {file
    name: lines}; None: the one of the EICAR test file, which esets has by itself."""
    work = tempfile.mkdtemp(prefix="esets-compare-")
    os.chmod(work, 0o755)
    started = {}
    try:
        databases = {"clamd": os.path.join(work, "clamd-db"), "esets": os.path.join(work, "esets-db")}
        for engine, directory in databases.items():
            os.makedirs(directory)
            if engine == "clamd" or signatures:
                for name, lines in (signatures or {"eicar.ndb": eicar_signature()}).items():
                    with open(os.path.join(directory, name), "w") as out:
                        out.write(lines)
        for kind in (engines.ClamAV, engines.Esets):
            if not engines.available(kind):
                print(f"tools/corpus: {kind.name} is not installed or not built", file=sys.stderr)
                continue
            started[kind.name] = kind(os.path.join(work, kind.name))
            started[kind.name].start(databases[kind.name])
        yield started
    finally:
        for engine in started.values():
            engine.stop()
        shutil.rmtree(work, ignore_errors=True)


def eicar_signature():
    """The EICAR test file at the beginning of an object: the line that esets comes with."""
    with open(os.path.join(REPOSITORY, "modules", "signatures", "base.ndb")) as file:
        return "".join(line for line in file if line.startswith("Eicar-Test-Signature:"))


def detected(engine, paths):
    """{path: what the engine says}: "found", "clean", or why it does not know."""
    answers = {}
    with contextlib.ExitStack() as stack:
        connection = None
        for number, path in enumerate(paths):
            if connection is None:
                connection = stack.enter_context(engines.Connection(engine.socket))
                connection.socket.sendall(b"zIDSESSION\0")
            try:
                # By its path: Brotli is told by the name alone.
                connection.socket.sendall(b"zSCAN " + os.fsencode(os.path.abspath(path)) + b"\0")
                answer = connection.reply()
            except (OSError, RuntimeError) as problem:
                answer, connection = f"ERROR {problem}", None
            answers[path] = (
                "found" if answer.endswith("FOUND") else "clean" if answer.endswith("OK") else answer.split(":", 2)[-1].strip())
            if number % 1000 == 999:
                print(f"{engine.name}: {number + 1} of {len(paths)}", file=sys.stderr)
    return answers


def word(answer):
    return {"found": "yes", "clean": "no"}.get(answer, "not scanned" if "limit" in answer.lower() else "no")


def compare(directory, table_path):
    """Scans what `tools/corpus containers` made, writes the table, and returns how many files esets misses."""
    with open(os.path.join(directory, "manifest.json")) as file:
        entries = json.load(file)
    paths = [os.path.join(directory, entry["file"]) for entry in entries]
    with running(None) as started:
        answers = {name: detected(engine, paths) for name, engine in started.items()}
    names = list(answers)

    def found(entry, name):
        return answers[name][os.path.join(directory, entry["file"])] == "found"

    single = {entry["formats"][0]: entry for entry in entries if len(entry["formats"]) == 1}
    pairs = [entry for entry in entries if len(entry["formats"]) == 2]
    chains = [entry for entry in entries if len(entry["formats"]) > 2]
    lines = ["| format | " + " | ".join(names) + " |" + ("".join(
        f" in others, {name} | around others, {name} |" for name in names) if pairs else ""), ""]
    lines[1] = "|---" * (lines[0].count("|") - 1) + "|"
    for label, entry in single.items():
        cells = [label] + [word(answers[name][os.path.join(directory, entry["file"])]) for name in names]
        if pairs:
            for name in names:
                for place in (0, 1):
                    some = [pair for pair in pairs if pair["formats"][place] == label]
                    cells.append(f"{sum(found(pair, name) for pair in some)} of {len(some)}")
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for title, some in (("alone", list(single.values())), ("two levels", pairs), ("five levels", chains)):
        if some:
            lines.append(f"{title}: {len(some)} files; " + ", ".join(
                f"{name} detects {sum(found(entry, name) for entry in some)}" for name in names) + "  ")
    missed = [entry for entry in entries if "esets" in answers and not found(entry, "esets")]
    # What is not opened alone is not opened in others either.
    closed = {entry["formats"][0] for entry in missed if len(entry["formats"]) == 1}
    others = [entry for entry in missed if len(entry["formats"]) > 1 and closed.isdisjoint(entry["formats"])]
    lines += [""]
    if closed:
        lines.append(f"- esets misses {', '.join(sorted(closed))}, and so {len(missed) - len(closed) - len(others)} "
                     "pairs and chains with them")
    lines += misses({tuple(entry["formats"]): answers["esets"][os.path.join(directory, entry["file"])] for entry in others})
    return publish("What is detected in containers", lines, table_path, missed)


def misses(answers):
    """Lines that say what is missed, {formats: answer}: pairs of one format together."""
    groups = {}
    for formats, answer in answers.items():
        groups.setdefault((formats[0], answer.removesuffix(" ERROR")), []).append(" in ".join(formats[1:]))
    return [f"- esets misses {first} in {', '.join(outer)}: {answer}" for (first, answer), outer in groups.items()]


def publish(title, lines, table_path, missed):
    version = subprocess.run(["clamd", "--version"], capture_output=True, text=True).stdout.split("/")[0].strip()
    lines = [f"# {title}", "", f"Written by tools/corpus; beside esets, {version}.", "", *lines]
    with open(table_path, "w") as out:
        out.write("\n".join(lines) + "\n")
    print("\n".join(lines[:400]))
    print(f"table: {table_path}", file=sys.stderr)
    return len(missed)


def test_files(directory, table_path, inputs=None):
    """Scans Debian's clamav-testfiles with the digest of the program that is in all of them, and the files that
    ClamAV's source has for its own tests (`inputs`: its folder unit_tests/input) with the signatures of these tests."""
    with open(os.path.join(directory, "clam.exe"), "rb") as file:
        program = file.read()
    signature = {"clam.hdb": f"{hashlib.md5(program).hexdigest()}:{len(program)}:Clam-Test-File\n"}
    lines, missed = rows(signature, {name: os.path.join(directory, name) for name in sorted(os.listdir(directory))})
    if inputs:
        with tempfile.TemporaryDirectory(prefix="esets-inputs-") as place:
            more, others = source_inputs(inputs, place)
        lines, missed = lines + ["", "## Inputs of ClamAV's own tests", ""] + more, missed + others
    return publish("What is detected in clamav-testfiles", lines, table_path, missed)


def rows(signatures, files, note=""):
    """The table's lines of some files ({name: path}), and those that clamd detects and esets does not."""
    with running(signatures) as started:
        answers = {name: detected(engine, list(files.values())) for name, engine in started.items()}
    lines = ["| file | " + " | ".join(answers) + " |", "|---" * (len(answers) + 1) + "|"]
    missed = []
    for name, path in files.items():
        packer = re.search(r"clam-(\w+)\.exe", name)
        packed = " (packer)" if packer and packer[1] in PACKERS else ""
        lines.append(f"| {name}{packed}{note} | " + " | ".join(word(answers[engine][path]) for engine in answers) + " |")
        if not packed and answers.get("clamd", {}).get(path, "found") == "found" and answers["esets"][path] != "found":
            missed.append(f"{name}{note}")
    return lines, missed


def source_inputs(root, place):
    """The same of what lies in ClamAV's source tree: each file that either engine detects something in, and how many there are."""
    def signatures(*paths):
        made = {}
        for path in paths:
            with open(path) as file:
                made.setdefault("all" + os.path.splitext(path)[1].replace("hdb", "hsb"), []).append(file.read().rstrip("\n") + "\n")
        return {name: "".join(lines) for name, lines in made.items()}

    with open(os.path.join(root, "xor_testfile.py")) as file:
        key = ast.literal_eval(re.search(r"xor_key = (.*?')\n\n", file.read(), re.DOTALL)[1])
    files = {}
    hidden = os.path.join(root, "clamav_hdb_scanfiles")
    for name in sorted(os.listdir(hidden)):
        with open(os.path.join(hidden, name), "rb") as file:
            data = file.read()
        path = os.path.join(place, name.removesuffix(".xor"))
        with open(path, "wb") as out:
            out.write(bytes(byte ^ key[at % len(key)] for at, byte in enumerate(data)))
        files[os.path.basename(path)] = path
    os.chmod(place, 0o755)
    for folder in ("other_scanfiles",):
        for above, _, names in sorted(os.walk(os.path.join(root, folder))):
            files.update({os.path.relpath(os.path.join(above, name), root): os.path.join(above, name) for name in sorted(names)})
    with open(files["clam.exe"], "rb") as file:
        program = file.read()
    others = os.path.join(root, "other_sigs")
    known = signatures(*[os.path.join(others, name) for name in sorted(os.listdir(others)) if name.endswith((".hdb", ".hsb", ".ndb"))])
    known["all.hsb"] += f"{hashlib.sha256(program).hexdigest()}:{len(program)}:Clam-Test-File\n"
    lines, missed = rows(known, files)
    # Where one signature would hide another, each is alone.
    embedded = os.path.join(root, "embedded_testfiles")
    for name in sorted(os.listdir(os.path.join(embedded, "signatures"))):
        more, others = rows(signatures(os.path.join(embedded, "signatures", name)),
                            {file: os.path.join(embedded, file) for file in sorted(os.listdir(embedded)) if ".emb-" in file}, f", {name}")
        lines, missed = lines + more[2:], missed + others
    # What neither detects has none of these contents.
    shown = [line for line in lines if "yes" in line or line.startswith(("| file", "|---"))]
    return shown + ["", f"{len(lines) - 2} scans: clamd detects {count(lines, 2)}, esets {count(lines, 3)}"] + [""] + [
        f"- missed: {name}" for name in missed], missed


def count(lines, column):
    return sum(line.split("|")[column].strip() == "yes" for line in lines if line.startswith("| "))
