"""The installed programs, one by one: options, exit codes, output, modules that come and go, and libesets.so."""

import binascii
import gzip
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import EICAR, GTUBE, REPOSITORY, Tree, attachment, check, finish, message, wait_until, zipped

AMAVIS_GUIDE = re.compile(r'virus="([^"]+)"')
AMAVIS_DEBIAN = re.compile(r':\s*action="(?!accepted)[^"]*"\n.*:\s*virus="([^"]*)"', re.M)
PROGRAMS = ["esets_clamd", "esets_cli", "esets_daemon", "esets_mod", "esets_pipe", "esets_scan", "esets_set", "esets_smtp", "esets_update"]

tree = Tree(options=[("global", "av_quarantine_enabled = no")])
work = tempfile.mkdtemp(prefix="files-", dir=tree.root)
os.chmod(work, 0o755)


def put(name, content):
    path = f"{work}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def text(done):
    return (done.stdout + done.stderr).decode(errors="replace")


def version():
    """The generation and the version of the database in use, as esets_update tells them."""
    done = tree.update("--json")
    return json.loads(done.stdout)


# ---------------------------------------------------------------- every program

def usage():
    print("every program")
    for name in PROGRAMS:
        done = tree.command(name, "--help")
        check(done.returncode == 0 and b"--version" in done.stdout and not done.stderr, f"{name} --help")
        done = tree.command(name, "--version")
        check(
            done.returncode == 0 and re.search(rb"\d+\.\d+\.\d+$", done.stdout.strip()),
            f"{name} --version ends with the version: {done.stdout.decode().strip()}")
        done = tree.command(name, "--no-such-option-at-all")
        check(
            done.returncode == 64 and b"no-such-option-at-all" in done.stderr,
            f"{name} names an unknown option and exits with 64 ({done.returncode})")
    for name in ("esets_scan", "esets_cli"):
        check(tree.command(name).returncode == 64, f"{name} without files exits with 64")
    check(tree.command("esets_scan", "--clean-mode=mild", "/").returncode == 64, "a wrong value exits with 64")
    for page in os.listdir(f"{REPOSITORY}/docs/man"):
        section = page.rsplit(".", 1)[1]
        check(
            os.path.exists(f"{tree.root}/opt/eset/esets/share/man/man{section}/{page}"), f"manual page {page} is installed")


# ---------------------------------------------------------------- updates and modules, without a daemon

def updates():
    print("esets_update without a daemon")
    done = tree.update()
    check(done.returncode == 0, f"the first generation is compiled and tried: {text(done).strip()[-300:]}")
    check(
        re.search(rb"^Installed virus signature database version (\d{10}) \((\d{8})\)$", done.stdout, re.M),
        "the second line keeps its shape")
    done = tree.update()
    check(done.returncode == 0 and b"not necessary" in done.stdout, "unchanged sources: not necessary")
    first = version()
    check(first["updated"] is False, "--json says so too")

    tree.signature("Test.Second", "a second signature of this test")
    done = tree.update("--json")
    second = json.loads(done.stdout)
    check(
        second["updated"] is True and second["changed"] == ["em002"]
        and second["generation"] > first["generation"] and second["database_version"] > first["database_version"],
        f"a changed signature makes a new version of em002 alone: {second}")

    with open(f"{tree.mirror}/signatures/broken.ndb", "w") as out:
        out.write("Broken.Hex:0:*:zz11zz11\n")
        out.write(f"Good.Neighbour:0:*:{b'the good neighbour of a broken line'.hex()}\n")
        out.write("Broken.Fields\n")
    with open(f"{tree.mirror}/signatures/broken.hsb", "wb") as out:
        out.write(b"\xff\xfe\x00 nothing of use\n" + b"x" * 100_000 + b"\n")
    done = tree.update("--json")
    check(done.returncode == 0 and json.loads(done.stdout)["updated"], "malformed lines do not stop an update")
    report = done.stderr.decode(errors="replace")
    check("broken.ndb:1:" in report and "broken.ndb:3:" in report, "they are named by file and line")
    check("broken.hsb:1:" in report, "binary garbage is named too")
    check("broken.ndb:2" not in report, "the good line between them is not")
    check(tree.update().returncode == 0, "and the next update is not necessary")
    os.remove(f"{tree.mirror}/signatures/broken.hsb")

    print("esets_update refuses what is damaged")
    before = os.readlink(f"{tree.base}/generations/current")
    damaged = f"{tree.mirror}/modules/em003_64.dat"
    original = read(damaged)
    flipped = bytearray(original)
    flipped[len(flipped) // 2] ^= 1
    replace(damaged, bytes(flipped))
    done = tree.update()
    check(
        done.returncode == 3 and b"em003" in done.stderr and b"signature" in done.stderr,
        f"a flipped bit in a module of the mirror is refused with the reason: {done.stderr.decode().strip()[-200:]}")
    check(os.readlink(f"{tree.base}/generations/current") == before, "and the current generation stays")
    check(not [n for n in os.listdir(f"{tree.base}/generations") if n.startswith(".staged")], "nothing half made is left")
    replace(damaged, original)
    done = tree.command("esets_set", "--set=av_update_server = \"http://localhost:2221\"")
    done = tree.update()
    check(
        done.returncode in (1, 78) and b"root.json" in done.stderr,
        f"an update server without a root to trust is told ({done.returncode}): {done.stderr.decode().strip()[-300:]}")
    tree.command("esets_set", "--set=av_update_server")
    check(tree.update().returncode == 0, "and without it all is well again")


def replace(path, content):
    with open(path + ".new", "wb") as out:
        out.write(content)
    os.replace(path + ".new", path)


def modules():
    print("esets_mod")
    done = tree.command("esets_mod", "list")
    listed = done.stdout.decode()
    check(
        done.returncode == 0 and all(f"em00{n}" in listed for n in range(7)), "list names the seven modules of a generation")
    data = json.loads(tree.command("esets_mod", "--json", "list").stdout)
    check(data, "list --json is JSON")
    done = tree.command("esets_mod", "show", "em002")
    check(done.returncode == 0 and b"data" in done.stdout, "show em002")
    shown = json.loads(tree.command("esets_mod", "--json", "show", "em003").stdout)
    check("em003" in json.dumps(shown), "show --json em003")
    check({"MIME", "ZIP", "PDF", "7Z"} <= set(shown["formats"]), f"and its {len(shown['formats'])} formats")
    check(b"opens ZIP" in tree.command("esets_mod", "show", "em003").stdout, "show em003 names them, too")
    done = tree.command("esets_mod", "verify")
    check(done.returncode == 0, f"verify accepts the generation: {text(done).strip()[-200:]}")
    for n in range(7):
        check(
            os.path.exists(f"{tree.base}/em00{n}_64.dat"), f"em00{n}_64.dat is where the guide says")

    module = f"{work}/em003_64.dat"
    shutil.copy(f"{tree.base}/generations/current/em003_64.dat", module)
    check(tree.command("esets_mod", "verify", module).returncode == 0, "verify accepts a signed file")
    content = read(module)
    for at in (100, len(content) // 3, len(content) - 9):
        flipped = bytearray(content)
        flipped[at] ^= 0x40
        replace(module, bytes(flipped))
        done = tree.command("esets_mod", "verify", module)
        check(
            done.returncode == 1 and re.search(rb"em003_64\.dat: (\w|-)+: ", done.stdout + done.stderr),
            f"a flipped bit at {at} is refused with the reason: {text(done).strip()[:120]}")
    replace(module, content)
    foreign = f"{work}/foreign.key"
    check(tree.command("esets_mod", f"--key={foreign}", "keygen").returncode == 0, "keygen makes a pair of keys")
    check(os.stat(foreign).st_mode & 0o077 == 0, "the private half is for its owner alone")
    kept = read(foreign)
    check(
        tree.command("esets_mod", f"--key={foreign}", "keygen").returncode == 1 and read(foreign) == kept,
        "no key is ever overwritten")
    check(tree.command("esets_mod", f"--key={foreign}", "sign", module).returncode == 0, "sign")
    done = tree.command("esets_mod", "verify", module)
    check(
        done.returncode == 1 and b"signature" in done.stdout + done.stderr,
        f"a module signed by a foreign key is refused: {text(done).strip()[:120]}")
    damaged = f"{work}/damaged_64.dat"
    for size in (0, 4, 63, 5000):
        replace(damaged, content[:size])
        check(tree.command("esets_mod", "verify", damaged).returncode == 1, f"a file cut at {size} bytes is refused")
    check(tree.command("esets_mod", "verify", f"{work}/none").returncode in (1, 66), "a missing file is an error")
    check(tree.command("esets_mod", "--generation=999", "list").returncode == 66, "a missing generation exits with 66")


# ---------------------------------------------------------------- the daemon

def daemon():
    print("esets_daemon")
    check(tree.command("esets_daemon", "--status").returncode == 1, "--status without a daemon exits with 1")
    check(tree.command("esets_daemon", "--stop").returncode == 1, "--stop without a daemon exits with 1")
    file = put("x", b"x")
    # At the same time: each waits some seconds for a daemon that is perhaps being restarted.
    with ThreadPoolExecutor() as pool:
        scanned, piped, filtered = pool.map(
            lambda call: tree.command(*call, input=message()), [("esets_scan", file), ("esets_pipe",), ("esets_cli", file)])
    check(
        scanned.returncode == 100 and b"daemon" in scanned.stderr, "esets_scan without a daemon exits with 100 and says why")
    check(piped.returncode == 75 and piped.stdout == b"", "esets_pipe without a daemon exits with 75 and writes nothing")
    check(filtered.returncode == 100, "esets_cli without a daemon exits with 100")
    done = tree.command("esets_daemon")
    check(done.returncode == 0, f"the daemon starts: {text(done)}")
    done = tree.command("esets_daemon")
    check(done.returncode == 2, f"a second one exits with 2: {text(done).strip()}")
    done = tree.command("esets_daemon", "--status")
    lines = done.stdout.decode().splitlines()
    check(
        done.returncode == 0 and lines and all(re.fullmatch(r"[A-Za-z0-9_.]+=.*", line) for line in lines),
        "--status is KEY=VALUE lines")
    facts = dict(line.split("=", 1) for line in lines)
    check(facts.get("SystemState") == "running", f"SystemState={facts.get('SystemState')}")
    for key in ("Generation", "AVSigsVer", "AVSigsCount", "ClientVer", "Crashes", "Queued", "ConfigurationError", "LastRefusal"):
        check(key in facts, f"--status tells {key}")
    check(tree.status().get("Generation") == facts["Generation"], "--status --json tells the same")
    check(wait_until(lambda: len(tree.processes("esets_daemon")) >= 2, 60), "at least two processes, as the guide says")
    for pid in tree.scanners():
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        check(
            status["Uid"].split()[0] != "0" and status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2",
            "a scanning process is unprivileged and sandboxed")
    done = tree.command("esets_daemon", "--reload")
    check(done.returncode == 0, f"--reload: {text(done).strip()}")


# ---------------------------------------------------------------- esets_scan

def scan(*arguments):
    done = tree.command("esets_scan", *arguments)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def on_demand():
    print("esets_scan")
    clean = put("clean/a.txt", b"nothing here\n")
    status, out, _ = scan(clean)
    check(status == 0 and "Infected:" in out and 'threat=' not in out, "a clean file: 0")
    check(re.search(r"^Module scanner, version \d{10}$", out, re.M), "the version of the database is told")
    put("clean/empty", b"")
    os.makedirs(f"{work}/clean/deep/er", exist_ok=True)
    os.symlink("..", f"{work}/clean/deep/er/loop")
    os.symlink("/nonexistent", f"{work}/clean/deep/dangling")
    os.mkfifo(f"{work}/clean/fifo")
    status, out, _ = scan(f"{work}/clean")
    check(status == 0, f"a directory with a loop of links, a dangling one and a named pipe: 0 ({status})")
    eicar = put("bad/eicar.com", EICAR)
    status, out, _ = scan("--clean-mode=none", eicar)
    check(
        status == 50 and re.search(r'^name="[^"]*eicar.com", threat="[^"]+", action="[^"]*", info="', out, re.M),
        "an infected file that stays: 50, and the line that wrappers split")
    status, out, _ = scan(eicar)
    check(status == 1 and not os.path.exists(eicar), "an infected file that is removed: 1")
    archive = put("bad/archive.zip", zipped(EICAR, "eicar.com"))
    status, out, _ = scan(archive)
    check(status == 50 and os.path.exists(archive) and "archive.zip » ZIP » eicar.com" in out, "a zip stays in standard: 50")
    status, _, _ = scan("--clean-mode=strict", archive)
    check(status == 1 and not os.path.exists(archive), "and goes in strict: 1")
    mail = put("bad/mail.eml", attachment(EICAR))
    status, _, _ = scan("--clean-mode=strict", mail)
    check(status == 50 and os.path.exists(mail), "a message stays in strict: 50")
    status, _, _ = scan("--clean-mode=rigorous", "--quarantine", mail)
    check(status == 1 and not os.path.exists(mail), "and goes in rigorous: 1")
    kept = [name for name in os.listdir(f"{tree.cache}/quarantine") if name.endswith(".inf")]
    check(len(kept) == 1, "with a copy in the quarantine")
    record = read(f"{tree.cache}/quarantine/{kept[0]}").decode()
    check("mail.eml" in record and "Virus" in record, "that says what it was")
    content = read(f"{tree.cache}/quarantine/{kept[0][:-4]}.dat")
    check(EICAR not in content and len(content) >= len(attachment(EICAR)) - 64, "and is masked")

    put("mixed/eicar.com", EICAR)
    put("mixed/fine.txt", b"fine\n")
    os.symlink("eicar.com", f"{work}/mixed/link")
    status, out, _ = scan("--clean-mode=none", "--json", f"{work}/mixed")
    objects = [json.loads(line) for line in out.splitlines()]
    summary = objects[-1]
    check(
        status == 50 and summary["type"] == "summary" and summary["exit"] == 50 and summary["infected_files"] >= 1,
        f"--json: {summary}")
    threats = [t for o in objects if o["type"] == "file" for t in o.get("threats", [])]
    check(threats and all(t["name"] for t in threats), "--json names the threats")
    status, out, _ = scan("--clean-mode=none", "--no-symlink", "--exclude=eicar.com", f"{work}/mixed")
    check(status == 0, "--no-symlink and --exclude leave it out")
    encrypted = bytearray(zipped(b"secret", "a.txt"))
    encrypted[6] |= 1
    central = encrypted.rfind(b"PK\x01\x02")
    encrypted[central + 8] |= 1
    status, out, _ = scan(put("odd/encrypted.zip", bytes(encrypted)))
    check(status == 10 and "encrypted" in out, f"an encrypted zip is not scanned: 10 ({status})")
    status, out, _ = scan(f"{work}/none-there")
    check(status == 10, f"a missing file: 10 ({status})")
    fifo = f"{work}/clean/fifo"
    check(scan(fifo)[0] == 10, "a named pipe that is asked for: 10")
    # Root reads everything, so another user asks for a file that is not his.
    secret = put("odd/secret", b"secret\n")
    os.chmod(secret, 0)
    done = subprocess.run(
        [f"{tree.sbin}/esets_scan", f"--root={tree.root}", secret], capture_output=True, user="nobody", group="nogroup",
        cwd="/", env={"PATH": os.environ["PATH"]}, timeout=60)
    check(done.returncode == 10, f"an unreadable file: 10 ({done.returncode}) {text(done)[-200:]}")
    check(b"secret" in done.stdout + done.stderr and b"ermission" in done.stdout + done.stderr, "and the reason is told")
    evil = put('evil\nname="x", threat="is OK', EICAR)
    status, out, _ = scan("--clean-mode=none", evil)
    check(status == 50 and '\nname="x"' not in out, "a file name cannot forge a line")
    os.remove(evil)
    log = f"{work}/scan.log"
    scan("--clean-mode=none", f"--log-file={log}", "--log-all", f"{work}/mixed")
    check(b'threat="is OK"' in read(log), "--log-file and --log-all")
    shutil.rmtree(f"{work}/odd")


def formats():
    print("containers")
    inner = attachment(zipped(EICAR, "document.com"), "document.zip")
    nested = message(
        b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--o--\r\n", content_type=b"multipart/mixed; boundary=o")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("dir/eicar.com")
        info.size = len(EICAR)
        archive.addfile(info, io.BytesIO(EICAR))
    uu = b"".join(binascii.b2a_uu(EICAR[i:i + 45]) for i in range(0, len(EICAR), 45)).replace(b"\n", b"\r\n")
    encoded = message(b"Look:\r\n\r\nbegin 644 eicar.com\r\n" + uu + b"`\r\nend\r\n")
    rfc2231 = attachment(EICAR).replace(
        b'filename="file.bin"', b"filename*0*=utf-8''%e2%82%ac;\r\n filename*1=\"rates.exe\"")
    samples = {
        "zip in nested MIME": nested, "gzip": gzip.compress(EICAR), "tar.gz": gzip.compress(tar.getvalue()),
        "tar": tar.getvalue(), "uuencode in a message": encoded, "RFC 2231 name": rfc2231,
        "zip in zip in zip": zipped(zipped(zipped(EICAR, "e.com"), "b.zip"), "a.zip"),
        "gzip in a message": attachment(gzip.compress(EICAR), "e.gz"),
        "quoted-printable": message(
            EICAR.replace(b"=", b"=3D").replace(b"!$", b"=21=24") + b"\r\n", extra=b"Content-Transfer-Encoding: quoted-printable\r\n"),
        "base64 without a type": attachment(EICAR, media="image/png"),
    }
    for name, content in samples.items():
        path = put("format/" + name.replace(" ", "-"), content)
        status, out, err = scan("--clean-mode=none", path)
        check(status == 50, f"EICAR in {name}: {status} {out[-300:] if status != 50 else ''}")
        if name == "RFC 2231 name":
            check("€rates.exe" in out, f"and its name is put together: {[l for l in out.splitlines() if 'threat=' in l]}")
    damaged = {"7z": b"7z\xbc\xaf\x27\x1c\x00\x04" + b"\1" * 64, "rar": b"Rar!\x1a\x07\x01\x00" + bytes(64),
                   "xz": b"\xfd7zXZ\x00\x00\x04" + bytes(64), "bzip2": b"BZh91AY&SY" + bytes(64)}
    for name, content in damaged.items():
        status, out, _ = scan(put(f"unsupported/x.{name}", content))
        check(status == 10, f"a {name} archive of which nothing can be read is not scanned: 10 ({status})")


# ---------------------------------------------------------------- esets_cli, esets_pipe

def filters():
    print("esets_cli")
    clean = put("cli/clean.txt", b"fine\n")
    done = tree.command("esets_cli", "--subdir", clean)
    check(
        done.returncode == 0 and done.stdout.decode() == f'{clean}: action="accepted"\n', f"clean: 0, {done.stdout!r}")
    bad = put("cli/p001", EICAR)
    done = tree.command("esets_cli", "--subdir", f"{work}/cli")
    out = done.stdout.decode()
    check(done.returncode in (2, 3), f"infected: 2 or 3 ({done.returncode})")
    found = AMAVIS_GUIDE.search(out)
    check(found and "EICAR" in found[1].upper(), f"the guide's expression finds the name: {found and found[1]}")
    found = AMAVIS_DEBIAN.search(out)
    check(found and "EICAR" in found[1].upper(), "amavisd-new's own expression finds it too")
    check(os.path.exists(bad), "nothing is removed")
    check(tree.command("esets_cli", f"{work}/none").returncode == 100, "a missing file: 100")
    os.remove(clean)
    os.remove(bad)

    print("esets_pipe")
    plain = message(b"Hello.\r\n")
    done = tree.command("esets_pipe", "--sender=a@example.org", "--recipient=b@example.org", input=plain)
    check(done.returncode == 0 and b"X-Virus-Scanner:" in done.stdout, "clean: 0, with the mark")
    check(done.stdout.endswith(b"\r\n\r\nHello.\r\n"), "the text is as it was")
    unix = plain.replace(b"\r\n", b"\n")
    done = tree.command("esets_pipe", input=b"From alice Sat Nov 21 12:00:00 2026\n" + unix)
    check(
        done.returncode == 0 and done.stdout.startswith(b"From alice ") and b"\r" not in done.stdout,
        "an mbox line stays first, and line ends stay")
    done = tree.command("esets_pipe", input=attachment(zipped(EICAR)))
    check(done.returncode == 3 and done.stdout == b"", "infected: 3, nothing is written")
    tree.set("pipe", 'action_av_infected = "discard"')
    check(tree.command("esets_pipe", input=attachment(zipped(EICAR))).returncode == 2, "discard: 2")
    tree.set("pipe", 'action_av_infected = "defer"')
    check(tree.command("esets_pipe", input=attachment(zipped(EICAR))).returncode == 1, "defer: 1")
    tree.set("pipe", 'action_as = "reject"')
    done = tree.command("esets_pipe", input=message(GTUBE + b"\r\n"))
    check(done.returncode == 3 and done.stdout == b"", "GTUBE with action_as: 3")
    tree.set("pipe", 'action_as = "scan"')
    tree.set("pipe", 'as_eml_subject_template = "[%asstatus%]"')
    done = tree.command("esets_pipe", input=message(GTUBE + b"\r\n", subject=b"Win"))
    check(done.returncode == 0 and b"Subject: [SPAM] Win\r\n" in done.stdout, "GTUBE with a tag")
    done = tree.command("esets_pipe", input=attachment(EICAR, "e.com"))
    check(
        done.returncode == 0 and EICAR not in done.stdout and b"X5O" not in done.stdout and b"WDVP" not in done.stdout,
        f"an infected attachment is replaced by a notice ({done.returncode})")
    for name in ("action_av_infected", "action_as", "as_eml_subject_template"):
        tree.set("pipe", name)
    check(tree.command("esets_pipe", input=b"").returncode in (0, 75), "an empty message is not a crash")


# ---------------------------------------------------------------- a module of somebody else

def build_example(folder, source, file):
    """Compiles an example module by the command of docs/module-abi.md."""
    built = subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-O2", "-fPIC", "-shared", "-I", "Sources/CModuleABI/include",
         f"-Wl,-z,now,-z,defs,--version-script=modules/examples/{folder}/module.map", "-o", f"{work}/{file}",
         f"modules/examples/{folder}/{source}"], cwd=REPOSITORY, capture_output=True)
    check(built.returncode == 0 and not built.stderr, f"{source} compiles without a warning {built.stderr.decode()}")


def third_party():
    print("the example modules, by the steps of docs/module-abi.md")
    sample = put("note/secret.txt", b"This text is CONFIDENTIAL, and not long.\n")
    build_example("c-note", "note.c", "em100_64.dat")
    key = f"{work}/acme.key"
    tree.command("esets_mod", f"--key={key}", f"--public={work}/acme.pub", "keygen")
    check(tree.command("esets_mod", f"--key={key}", "sign", f"{work}/em100_64.dat").returncode == 0, "it is signed")
    mirror = f"{tree.mirror}/modules/em100_64.dat"
    shutil.copy(f"{work}/em100_64.dat", mirror)
    done = tree.update()
    check(done.returncode == 3 and b"em100" in done.stderr, "an unknown key: refused by name")
    check(tree.status()["SystemState"] == "running", "and the system runs on")
    shutil.copy(f"{work}/acme.pub", f"{tree.etc}/certs/modules/")
    done = tree.update()
    check(done.returncode == 0, f"with its key it goes into use: {text(done).strip()}")
    check(b"em100" in tree.command("esets_mod", "list").stdout, "esets_mod lists it")
    status, out, _ = scan("--json", "--log-all", sample)
    check(status == 0 and "Note.Confidential" in out, f"its note is in the verdict, which stays clean: {out.splitlines()[:1]}")
    check(
        wait_until(lambda: "an object says CONFIDENTIAL" in tree.log_text(), 60), "it takes part in scans, and its log line arrives")
    crates(key)
    for name in ("em100", "em102"):
        os.remove(f"{tree.mirror}/modules/{name}_64.dat")
    done = tree.update("--force")
    listed = tree.command("esets_mod", "list").stdout
    check(done.returncode == 0 and b"em100" not in listed and b"em102" not in listed, "they are removed again")
    check(wait_until(lambda: not loaded("em100") and not loaded("em102"), 60), "no scanning process has them loaded any more")
    check(scan(sample)[0] == 0, "and scanning goes on")


def crate(*files):
    """A crate: method, name and content of each file."""
    return b"CRATE 1\n" + b"".join(
        bytes([method, len(name)]) + len(content).to_bytes(4, "little") + name + content for method, name, content in files)


def packed(content):
    """PackBits without runs."""
    pieces = [content[at:at + 16] for at in range(0, len(content), 16)]
    return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)


def crates(key):
    """The example that opens a container, beside em003."""
    build_example("c-container", "container.c", "em102_64.dat")
    tree.command("esets_mod", f"--key={key}", "sign", f"{work}/em102_64.dat")
    mail = put("crate/mail.eml", attachment(crate((0, b"a.txt", b"harmless"), (1, b"eicar.com", packed(EICAR))), "goods.crate"))
    check(scan("--clean-mode=none", mail)[0] == 0, "without its module a crate is a file like any other")
    shutil.copy(f"{work}/em102_64.dat", f"{tree.mirror}/modules/em102_64.dat")
    done = tree.update()
    check(done.returncode == 0, f"a module that opens crates goes into use: {text(done).strip()}")
    check(b"opens CRATE" in tree.command("esets_mod", "show", "em102").stdout, "esets_mod shows its format")
    status, out, _ = scan("--json", "--clean-mode=none", mail)
    check(status == 50 and "CRATE" in out and "eicar.com" in out, f"a mail with EICAR in a crate: {status} {out.splitlines()[:1]}")
    status, out, _ = scan("--json", "--clean-mode=none", put("crate/zip", zipped(crate((0, b"mail", attachment(zipped(crate((1, b"e", packed(EICAR)))), "a.zip"))))))
    check(status == 50, f"crates, mails and zips in each other: {status}")
    status, out, _ = scan("--json", "--clean-mode=none", put("crate/many", crate(*[(0, b"", b"")] * 300_000)))
    check(status == 10 and "limit" in out, f"300,000 files in a crate end by a limit: {status}")
    status, out, _ = scan("--json", "--clean-mode=none", put("crate/bomb", crate(*[(1, b"z", b"\x81\0" * 4_000_000)] * 4)))
    check(status == 10 and "limit" in out, f"2 GB in a crate end by a limit: {status}")
    status, out, _ = scan("--json", "--clean-mode=none", put("crate/odd", crate((7, b"x", b"text"))))
    check(status == 10, f"a method that nobody knows is not scanned: {status}")
    status, out, _ = scan("--json", "--clean-mode=none", put("crate/cut", crate((0, b"e", EICAR))[:-1] + b"*"))
    check(status == 50, f"EICAR at the end of a crate: {status}")
    cut = crate((0, b"e", EICAR), (1, b"f", packed(EICAR)))
    codes = {scan("--clean-mode=none", put("crate/cut", cut[:size]))[0] for size in range(len(cut) - 4, 0, -37)}
    check(codes <= {0, 50}, f"crates that end anywhere: {codes}")


def loaded(name):
    for pid in tree.scanners():
        with open(f"/proc/{pid}/maps") as file:
            if name in file.read():
                return True
    return False


# ---------------------------------------------------------------- libesets.so

CALLER = r"""
#include <esets.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    esets_configuration configuration = {.struct_size = sizeof configuration, .socket_path = argv[1], .patience = 2000};
    esets_handle *handle = NULL;
    if (esets_open(&configuration, &handle) != ESETS_OK) return 10;
    for (int i = 2; i < argc; i++) {
        esets_verdict *verdict = NULL;
        int fd = open(argv[i], O_RDONLY);
        struct stat status;
        fstat(fd, &status);
        esets_facts facts = {.struct_size = sizeof facts, .name = argv[i]};
        int result = esets_scan_fd(handle, fd, (uint64_t)status.st_size, &facts, &verdict);
        close(fd);
        if (result != ESETS_OK) { printf("error %d %s\n", result, esets_message(handle)); continue; }
        printf("infected %d complete %d objects %u\n", esets_verdict_is_infected(verdict),
               esets_verdict_is_complete(verdict), esets_verdict_object_count(verdict));
        for (uint32_t n = 0; n < esets_verdict_finding_count(verdict); n++) {
            esets_finding finding = {.struct_size = sizeof finding};
            if (esets_verdict_finding(verdict, n, &finding) != ESETS_OK) return 11;
            printf("finding %u %s in %s\n", finding.kind, finding.name, finding.object);
        }
        esets_verdict_free(verdict);
    }
    esets_verdict *verdict = NULL;
    const char *text = "Subject: x\r\n\r\nHello\r\n";
    if (esets_scan_buffer(handle, text, strlen(text), NULL, &verdict) != ESETS_OK) {
        printf("error %s\n", esets_message(handle));
        esets_close(handle);
        return 12;
    }
    printf("buffer %d\n", esets_verdict_is_infected(verdict));
    esets_verdict_free(verdict);
    esets_close(handle);
    return 0;
}
"""


def library():
    print("libesets.so from a C program")
    source = put("library/caller.c", CALLER.encode())
    opt = f"{tree.root}/opt/eset/esets"
    program = f"{work}/library/caller"
    done = subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{opt}/include", "-o", program, source, f"-L{opt}/lib",
         "-lesets", f"-Wl,-rpath,{opt}/lib"], capture_output=True)
    check(done.returncode == 0, f"it compiles and links with the installed header: {done.stderr.decode()[-500:]}")
    bad = put("library/bad.zip", zipped(EICAR, "e.com"))
    good = put("library/good.txt", b"fine\n")
    done = subprocess.run([program, tree.socket, good, bad], capture_output=True, timeout=60)
    lines = done.stdout.decode().splitlines()
    check(done.returncode == 0, f"it runs ({done.returncode}) {done.stderr.decode()[-300:]}")
    check(lines[:1] == ["infected 0 complete 1 objects 1"], f"a clean file: {lines[:1]}")
    check(any(line.startswith("infected 1") for line in lines), f"an infected one: {lines}")
    check(any("in e.com" in line or "e.com" in line for line in lines if line.startswith("finding")), "the part is named")
    check(lines[-1:] == ["buffer 0"], "a buffer")
    done = subprocess.run([program, f"{tree.root}/no.sock", good], capture_output=True, timeout=60)
    check(
        done.returncode == 12 and b"no.sock" in done.stdout, f"without a daemon it says where: {done.stdout.decode().strip()}")


def ending():
    print("the end")
    done = tree.command("esets_daemon", "--stop", timeout=60)
    check(done.returncode == 0, f"--stop {text(done)}")
    check(not tree.processes("esets_daemon"), "no process is left")
    check(not os.path.exists(tree.socket) or not answers(), "nothing answers at the socket")


def answers():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        try:
            client.connect(tree.socket)
            return True
        except OSError:
            return False


try:
    for step in (usage, updates, modules, daemon, on_demand, formats, filters, third_party, library, ending):
        step()
    check("crash" not in tree.log_text() and "signal" not in tree.log_text(), "nothing crashed meanwhile")
finally:
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
finish()
