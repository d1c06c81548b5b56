"""esets_clamd: every command in every style, as clamd answers them; limits; rights; clamdscan with all its options."""

import array
import concurrent.futures
import grp
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import clamd
from clamd import END, MULTI, PORT, Clamd, Descriptor, Wait, ask, chunks, connect, stream, talk
from harness import EICAR, check, finish, wait_until, zipped

home = tempfile.mkdtemp(prefix="esets-files-")
os.chmod(home, 0o755)


def put(name, content, mode=0o644):
    path = f"{home}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)
    os.chmod(path, mode)
    return path


eicar = put("eicar.com", EICAR)
clean = put("clean.txt", b"nothing here\n")
empty = put("empty", b"")
multi = put("multi", MULTI)
put("sub/eicar2", EICAR)
put("sub/clean2", b"fine\n")
secret = put("locked/secret", b"nobody may read this\n", 0o600)
put("fine/one", b"one\n")
os.mkdir(f"{home}/nothing")
os.mkfifo(f"{home}/pipe")
os.symlink("eicar.com", f"{home}/link")
os.symlink("sub", f"{home}/linked")

# What is sent, in every style that has a prefix; {n} is the prefix, {e} the delimiter.
SIMPLE = [
    "PING", "RELOADX", "ping", "PING ", "END", "SESSION", "STREAM", "DETSTATS", "DETSTATSCLEAR", "", "SCAN", "SCAN ",
    f"SCAN {eicar}", f"SCAN {clean}", f"SCAN {empty}", f"SCAN {multi}", f"SCAN {home}/sub", f"SCAN {home}/sub/",
    f"SCAN {home}/fine", f"SCAN {home}/nowhere", "SCAN relative", f"SCAN {secret}", f"SCAN {clean} ",
    f"CONTSCAN {clean}", f"CONTSCAN {home}/sub", f"MULTISCAN {eicar}", f"MULTISCAN {home}/sub",
    f"SCAN {home}/../{os.path.basename(home)}/clean.txt", "UNKNOWN", "VERSION extra",
]


def conversations():
    """Name, steps, whether over TCP."""
    for text in SIMPLE:
        yield f"bare {text}", [text.encode() + b"\n"]
        yield f"n {text}", [b"n" + text.encode() + b"\n"]
        yield f"z {text}", [b"z" + text.encode() + b"\0"]
    for bare in ("STATS", "VERSIONCOMMANDS", "IDSESSION", "INSTREAM", f"ALLMATCHSCAN {clean}"):
        yield f"bare {bare}", [bare.encode() + b"\n"]
    yield "nothing", [END]
    yield "bare, no line end", [b"PING"]
    yield "bare, CRLF", [b"PING\r\n"]
    yield "bare, NUL", [b"PING\0"]
    yield "line, CRLF", [b"nPING\r\n"]
    yield "line, NUL", [b"nPING\0\n"]
    yield "null, LF", [b"zPING\n\0"]
    yield "two commands", [b"nPING\nnVERSION\n"]
    yield "bad prefix", [b"qPING\n"]
    yield "leading blank", [b" PING\n"]
    for n, e in ((b"n", b"\n"), (b"z", b"\0")):
        begin = n + b"INSTREAM" + e
        yield "stream, infected", [begin + chunks(EICAR)]
        yield "stream, clean", [begin + chunks(b"clean")]
        yield "stream, empty", [begin + bytes(4)]
        yield "stream, small chunks", [begin + chunks(EICAR, 7)]
        yield "stream, slow", [begin, Wait(0.5), chunks(EICAR)[:20], Wait(0.5), chunks(EICAR)[20:]]
        yield "stream, as large as allowed", [begin + chunks(b"y" * 100_000, 30_000)]
        yield "stream, one byte too large", [begin + chunks(b"y" * 100_001, 30_000)]
        yield "stream, chunk too large", [begin + b"\xff\xff\xff\xffabc"]
        yield "stream, cut", [begin + b"\0\0\0\5ab", END]
        yield "stream, two threats", [begin + chunks(MULTI)]
        yield "stream, then more", [begin + chunks(b"clean") + n + b"PING" + e]
        yield "descriptor", [n + b"FILDES" + e, Wait(0.5), Descriptor(eicar)]
        yield "descriptor, clean", [n + b"FILDES" + e, Wait(0.5), Descriptor(clean)]
        yield "descriptor, empty", [n + b"FILDES" + e, Wait(0.5), Descriptor(empty)]
        yield "descriptor with the command", [Descriptor(eicar, text=n + b"FILDES" + e + b"x")]
        yield "descriptor missing", [n + b"FILDES" + e, Wait(0.5), b"x"]
        yield "descriptor of a directory", [n + b"FILDES" + e, Wait(0.5), Descriptor(home)]
        yield "descriptor of a device", [n + b"FILDES" + e, Wait(0.5), Descriptor("/dev/null")]
        yield "two descriptors", [n + b"FILDES" + e, Wait(0.5), Descriptor(eicar, clean)]
        yield "descriptor, end", [n + b"FILDES" + e, END]
        ids = n + b"IDSESSION" + e
        end = n + b"END" + e
        yield "session, end", [ids + end]
        yield "session, ping", [ids + n + b"PING" + e + end]
        yield "session, two delimiters", [ids + b"zPING\0nPING\n" + end]
        yield "session, stream", [ids + n + b"INSTREAM" + e + chunks(EICAR) + end]
        yield "session, file", [ids + n + b"SCAN " + eicar.encode() + e + end]
        yield "session, directory", [ids + n + b"SCAN " + home.encode() + b"/sub" + e + end]
        yield "session, nothing there", [ids + n + b"SCAN " + home.encode() + b"/no" + e + end]
        yield "session, descriptor", [ids + n + b"FILDES" + e, Wait(0.5), Descriptor(eicar), end]
        yield "session, no END", [ids + n + b"PING" + e, END]
        yield "session, after END", [ids + end + n + b"PING" + e]
        yield "session, stream cut", [ids + n + b"INSTREAM" + e + b"\0\0\0\5ab", END]
        yield "session, stream too large", [ids + n + b"INSTREAM" + e + b"\xff\xff\xff\xff"]
        for word in ("CONTSCAN /x", "MULTISCAN /x", "ALLMATCHSCAN /x", "RELOAD", "SHUTDOWN", "BOGUS", "IDSESSION"):
            yield f"session, {word}", [ids + n + word.encode() + e + n + b"PING" + e + end]


def normal(reply):
    """Replies as they can be compared: numbers of descriptors and the marks of unofficial signatures differ."""
    reply = reply.replace(b".UNOFFICIAL", b"")
    reply = re.sub(rb"fd\[\d+\]", b"fd[N]", reply)
    return reply


def protocol():
    """The same conversations with both."""
    print("as clamd answers")
    other = Clamd() if os.path.exists(Clamd.program) else None
    check(other is not None, "a clamd is installed to compare with (tools/packages test)")
    if not other:
        return
    all_of_them = list(conversations())
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ours = list(pool.map(lambda one: talk(tree.clamd, *one[1], patience=8), all_of_them))
            theirs = list(pool.map(lambda one: talk(other.socket, *one[1], patience=8), all_of_them))
    finally:
        other.stop()
    same = 0
    for (name, _), (reply, closed), (expected, also_closed) in zip(all_of_them, ours, theirs):
        reply, expected = normal(reply), normal(expected)
        if (reply, closed) == (expected, also_closed):
            same += 1
        else:
            check(False, f"{name}: {reply} {closed}, clamd: {expected} {also_closed}")
    check(same == len(all_of_them), f"{same} of {len(all_of_them)} conversations have the same bytes")


def beyond():
    """Where clamd is no model: it says OK about what it did not scan."""
    print("what was not scanned is not OK")

    def is_(reply, expected, what):
        check(reply == expected.encode(), f"{what}: {reply}")
    is_(ask(tree.clamd, f"zSCAN {home}/pipe\0".encode()), f"{home}/pipe: Not supported file type ERROR\0", "a pipe")
    is_(ask(tree.clamd, b"zSCAN /dev/zero\0"), "/dev/zero: Not supported file type ERROR\0", "a device")
    is_(ask(tree.clamd, b"zSCAN /proc/self/maps\0"), "/proc/self/maps: Not supported file type ERROR\0", "a kernel file")
    is_(ask(tree.clamd, f"zSCAN {home}/link\0".encode()), f"{home}/link: Not supported file type ERROR\0", "a link")
    is_(
        ask(tree.clamd, f"zCONTSCAN {home}/locked\0".encode()), f"{home}/locked/secret: Access denied. ERROR\0",
        "a directory with a file that cannot be read")
    is_(ask(tree.clamd, f"zMULTISCAN {home}/nothing\0".encode()), f"{home}/nothing: OK\0", "an empty directory")
    found = ask(tree.clamd, f"zALLMATCHSCAN {multi}\0".encode()).split(b"\0")
    expected = sorted([f"{multi}: Test.Multi.{x} FOUND".encode() for x in "AB"])
    check(sorted(found[:-1]) == expected, f"ALLMATCHSCAN tells each threat once: {found}")
    reply = stream(tree.clamd, b"puathing-ccc")
    check(reply == b"stream: OK\0", f"unwanted applications are not asked for: {reply}")
    found = ask(tree.clamd, f"nCONTSCAN {home}\n".encode()).splitlines()
    expected = {f"{home}/eicar.com", f"{home}/sub/eicar2", f"{home}/multi", f"{home}/locked/secret"}
    check({line.split(b": ")[0].decode() for line in found} == expected, f"CONTSCAN goes through everything: {found}")
    check(all(b"OK" not in line for line in found), "and does not say OK")
    found = ask(tree.clamd, f"nMULTISCAN {home}\n".encode()).splitlines()
    check({line.split(b": ")[0].decode() for line in found} == expected, f"MULTISCAN too: {found}")
    check(ask(tree.clamd, b"zSHUTDOWN\0") == b"COMMAND UNAVAILABLE\0", "SHUTDOWN is refused")
    check(ask(tree.clamd, b"zQUIT\0") == b"COMMAND UNAVAILABLE\0", "QUIT, too")
    check(clamd.pongs(tree.clamd), "and nothing has ended")
    check(ask(("127.0.0.1", PORT), b"zPING\0") == b"PONG\0", "TCP")
    check(ask(("127.0.0.1", PORT), b"zFILDES\0x") == b"No file descriptor received. ERROR\0", "FILDES over TCP")
    version = ask(tree.clamd, b"nVERSION\n").decode()
    check(re.fullmatch(r"esets [0-9.]+/\d+/\w{3} \w{3} [ 0-9]\d \d\d:\d\d:\d\d \d{4}\n", version), f"VERSION: {version!r}")
    names = ask(tree.clamd, b"zVERSIONCOMMANDS\0").decode()
    check(names.startswith(version.strip() + "| COMMANDS: SCAN "), f"VERSIONCOMMANDS: {names!r}")
    statistics = ask(tree.clamd, b"nSTATS\n").decode()
    check(
        re.match(r"POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live \d+  idle \d+ max \d+ idle-timeout \d+\nQUEUE: \d+ items\n",
                 statistics) and statistics.endswith("\nEND\n"), f"STATS: {statistics!r}")


def sessions():
    print("sessions")
    client = connect(tree.clamd)
    client.sendall(b"zIDSESSION\0")
    wanted = {}
    request = b""
    for number in range(1, 301):
        content = EICAR if number % 3 == 0 else b"message %d" % number
        wanted[str(number)] = "stream: Eicar" if number % 3 == 0 else "stream: OK"
        request += b"zINSTREAM\0" + chunks(content, 50)
    request += b"zEND\0"
    # Sent without reading: the agent takes no more than it answers, so this must not block for ever.
    sender = concurrent.futures.ThreadPoolExecutor(1).submit(client.sendall, request)
    replies = b""
    client.settimeout(30)
    while piece := client.recv(65536):
        replies += piece
    sender.result(10)
    client.close()
    got = dict(line.decode().split(": ", 1) for line in replies.split(b"\0")[:-1])
    check(len(got) == 300, f"300 pipelined streams have {len(got)} answers")
    check(all(got.get(n, "").startswith(w) for n, w in wanted.items()), "each its own")
    big = os.urandom(90_000)
    check(stream(tree.clamd, big, 1000) == b"stream: OK\0", "many chunks")

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        many = list(pool.map(lambda i: stream(tree.clamd, EICAR if i % 2 else b"x%d" % i), range(200)))
    check(all((b"FOUND" in r) == bool(i % 2) for i, r in enumerate(many)), "200 connections, 40 at a time")


def rights():
    """RELOAD, paths, the socket itself."""
    print("rights")
    check(ask(tree.clamd, b"zRELOAD\0") == b"RELOADING\0", "root may RELOAD")
    check(wait_until(lambda: "configuration read again" in tree.log_text(), 60), "it was reloaded")
    check(ask(("127.0.0.1", PORT), b"zRELOAD\0") == b"COMMAND UNAVAILABLE\0", "nobody may over TCP")
    code = (
        "import socket,sys; c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]); c.sendall(b'zRELOAD\\0'); "
        "print(c.recv(100))")
    user = pwd.getpwnam("daemon")
    done = subprocess.run(
        ["python3", "-c", code, tree.clamd], capture_output=True, user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    check(b"COMMAND UNAVAILABLE" in done.stdout, f"nor another user: {done.stdout} {done.stderr[-200:]}")

    print("settings")
    wait_until(lambda: clamd.pongs(tree.clamd), 60)
    tree.set("clamd", f'clamd_scan_paths = "{home}/sub:{home}/fine"')
    tree.set("clamd", "clamd_follow_links = yes")
    tree.set("clamd", "clamd_allmatch = no")
    tree.set("clamd", "av_scan_app_unwanted = yes")
    tree.set("clamd", 'clamd_notscanned = "found"')
    tree.set("clamd", 'clamd_version = "ClamAV 1.4.0/%vdb%/%date%"')
    tree.set("clamd", 'clamd_sock_mode = "660"')
    tree.set("clamd", 'clamd_sock_owner = ":mail"')
    tree.set("clamd", "clamd_command_timeout = 1")
    tree.set("clamd", "clamd_read_timeout = 1")
    done = tree.command("esets_daemon", "--reload")
    check(done.returncode == 0, f"they are accepted: {done.stderr.decode()}")
    check(wait_until(lambda: b"ClamAV" in quietly(b"zVERSION\0"), 60), "clamd_version")
    mode = os.stat(tree.clamd)
    check(mode.st_mode & 0o777 == 0o660 and grp.getgrgid(mode.st_gid).gr_name == "mail", "clamd_sock_mode and _owner")
    reply = ask(tree.clamd, f"zSCAN {eicar}\0".encode())
    check(reply == f"{eicar}: Access denied. ERROR\0".encode(), f"clamd_scan_paths: {reply}")
    reply = ask(tree.clamd, f"zSCAN {home}/sub/../eicar.com\0".encode())
    check(reply == f"{home}/sub/../eicar.com: File path check failure: Permission denied. ERROR\0".encode(), f"..: {reply}")
    os.symlink("../eicar.com", f"{home}/sub/out")
    os.symlink("eicar2", f"{home}/sub/inside")
    os.symlink(".", f"{home}/sub/loop")
    found = ask(tree.clamd, f"nCONTSCAN {home}/sub\n".encode()).splitlines()
    expected = {f"{home}/sub/eicar2", f"{home}/sub/inside"}
    check({line.split(b": ")[0].decode() for line in found} == expected, f"links that stay below, once: {found}")
    reply = ask(tree.clamd, f"zALLMATCHSCAN {home}/fine\0".encode())
    check(reply.endswith(b"ERROR\0"), f"clamd_allmatch: {reply}")
    reply = stream(tree.clamd, b"puathing-ccc")
    check(reply == b"stream: PUA.Test.Thing FOUND\0", f"av_scan_app_unwanted: {reply}")
    reply = stream(tree.clamd, encrypted_zip())
    check(reply == b"stream: Heuristics.Encrypted.Object FOUND\0", f"clamd_notscanned: {reply}")
    reply, closed = talk(tree.clamd, b"zPI", patience=15)
    check((reply, closed) == (b"COMMAND READ TIMED OUT\n", True), f"clamd_command_timeout: {reply} {closed}")
    reply, closed = talk(tree.clamd, b"zINSTREAM\0\0\0\0\5ab", patience=15)
    check((reply, closed) == (b"COMMAND READ TIMED OUT\n", True), f"clamd_read_timeout: {reply} {closed}")
    reply, closed = talk(tree.clamd, b"zIDSESSION\0zPING\0", patience=15)
    check((reply, closed) == (b"1: PONG\0COMMAND READ TIMED OUT\n", True), f"an idle session: {reply} {closed}")


def details():
    """The same signatures as esets_scan tells them."""
    print("details of verdicts")

    def threats(path, *options):
        done = tree.command("esets_scan", "--json", "--clean-mode=none", *options, path)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        return done.returncode, [t for line in lines if line["type"] == "file" for t in line["threats"]]
    code, found = threats(multi)
    check(code == 50 and [t["name"] for t in found] == ["Test.Multi.A"], f"the first match: {code} {found}")
    check(
        found and found[0]["source"].endswith("test.ndb") and found[0]["offset"] == MULTI.index(b"multimatch-aaa")
        and found[0]["class"] == "signature", "its database, place and class")
    code, found = threats(multi, "--all-matches")
    check(
        code == 50 and sorted(t["name"] for t in found) == ["Test.Multi.A", "Test.Multi.B"], f"all matches: {code} {found}")
    both = put("applications", b"puathing-ccc toolthing-ddd")
    check(threats(both) == (0, []), "applications are not told unasked")
    for option, name in (("unwanted", "PUA.Test.Thing"), ("unsafe", "PUA.NetTool.Thing")):
        code, found = threats(both, f"--{option}")
        check(
            code == 50 and [(t["name"], t["class"]) for t in found] == [(name, option)], f"--{option}: {code} {found}")
    os.unlink(both)


def cache():
    """What was clean is not scanned again, before the signatures change."""
    print("the cache")
    tree.set("clamd", "clamd_cache = 1000")
    tree.command("esets_daemon", "--reload")
    wait_until(lambda: tree.log_text().count("configuration read again") > 1, 60)
    for _ in range(3):
        check(stream(tree.clamd, b"cachething-eee") == b"stream: OK\0", "clean")
    check(stream(tree.clamd, EICAR) == stream(tree.clamd, EICAR) != b"stream: OK\0", "infected")
    tree.signature("Test.Cache", "cachething-eee")
    done = tree.update()
    check(done.returncode == 0, f"a new signature {done.stderr.decode()[-300:]}")
    check(
        wait_until(lambda: stream(tree.clamd, b"cachething-eee") == b"stream: Test.Cache FOUND\0", 60),
        "it counts at once for what was clean before")
    check(wait_until(lambda: int(tree.status().get("clamd.cache_hits", 0)) >= 2, 60), "hits are counted")


def encrypted_zip():
    """A ZIP whose one member says that it is encrypted."""
    content = bytearray(zipped(b"secret content that nobody can read " * 3, "s.txt"))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def quietly(*steps):
    try:
        return ask(tree.clamd, *steps)
    except OSError:
        return b""


def files_of_others():
    """A client that cuts its file while it is scanned harms nobody."""
    print("files that change")
    path = f"{home}/changing"
    with open(path, "wb") as out:
        out.write(b"z" * 3_000_000)
    os.chmod(path, 0o644)
    client = connect(tree.clamd)
    client.sendall(b"zIDSESSION\0")
    file = os.open(path, os.O_RDWR)
    os.unlink(path)
    for number in range(20):
        os.ftruncate(file, 3_000_000)
        client.sendall(b"zFILDES\0")
        client.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
        os.ftruncate(file, 10)
    client.sendall(b"zEND\0")
    replies = b""
    client.settimeout(30)
    while piece := client.recv(65536):
        replies += piece
    check(replies.count(b"\0") == 20, f"each is answered ({replies.count(bytes(1))})")
    check(tree.status()["Crashes"] == "0", "no scanning process died")


def clamdscan():
    print("clamdscan")
    conf = f"{home}/clamd.conf"
    with open(conf, "w") as out:
        out.write(f"LocalSocket {tree.clamd}\nStreamMaxLength 100K\n")
    over_tcp = conf + "-tcp"
    with open(over_tcp, "w") as out:
        out.write(f"TCPSocket {PORT}\nTCPAddr 127.0.0.1\n")

    def run(*arguments, code, has=(), lacks=(), config=conf):
        done = subprocess.run(["clamdscan", "-c", config, *arguments], capture_output=True, timeout=60)
        text = (done.stdout + done.stderr).decode(errors="replace")
        good = done.returncode == code and all(part in text for part in has) and all(part not in text for part in lacks)
        check(good, f"clamdscan {' '.join(arguments)}: {done.returncode}" + ("" if good else f" {text!r}"))
        return text

    run("--ping", "3", code=0, has=["PONG"])
    for options in ([], ["--fdpass"], ["--stream"]):
        run(*options, eicar, code=1, has=["eicar.com: ", "FOUND", "Infected files: 1"])
        run(*options, clean, code=0, has=["clean.txt: OK", "Infected files: 0"])
        run(*options, "--no-summary", "--infected", clean, eicar, code=1, has=["FOUND"], lacks=["clean.txt", "SUMMARY"])
        run(*options, "--multiscan", f"{home}/sub", code=1, has=["eicar2: "])
        run(*options, "--multiscan", f"{home}/fine", code=0, has=["OK"])
    run("--allmatch", multi, code=1, has=["Test.Multi.A", "Test.Multi.B"])
    run("--allmatch", "--fdpass", multi, code=1, has=["Test.Multi."])
    run(home, code=1, has=["eicar.com", "sub/eicar2", "multi"])
    run("--multiscan", "--fdpass", home, code=1, has=["eicar.com", "sub/eicar2", "multi"])
    run(f"{home}/nowhere", code=2, has=["nowhere"])
    run("--reload", code=0)
    wait_until(lambda: clamd.pongs(tree.clamd), 60)
    run("--version", code=0, has=["esets"])
    run(eicar, code=1, has=["FOUND"], config=over_tcp)
    run("--stream", eicar, code=1, has=["FOUND"], config=over_tcp)
    with open(eicar, "rb") as source:
        done = subprocess.run(["clamdscan", "-c", conf, "-"], stdin=source, capture_output=True, timeout=60)
    check(done.returncode == 1 and b"FOUND" in done.stdout, f"clamdscan -: {done.stdout!r}")
    log = f"{home}/scan.log"
    run("--log", log, eicar, code=1)
    with open(log) as source:
        check("FOUND" in source.read(), "--log")
    copy = put("move/eicar.com", EICAR)
    os.mkdir(f"{home}/moved")
    run("--move", f"{home}/moved", copy, code=1)
    check(not os.path.exists(copy) and os.path.exists(f"{home}/moved/eicar.com"), "--move")
    shutil.rmtree(f"{home}/move")
    shutil.rmtree(f"{home}/moved")
    os.unlink(log)


tree = clamd.tree()
try:
    clamd.start(tree)
    for step in (protocol, beyond, details, clamdscan, sessions, files_of_others, cache, rights):
        step()
    log = tree.log_text()
    check("unexpectedly" not in log, "no agent ended")
    # The agent reports every ten seconds, and at its end.
    check(wait_until(lambda: int(tree.status().get("clamd.infected", 0)) > 100, 60), "its counters are in the status")
finally:
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
        shutil.rmtree(home, ignore_errors=True)
finish()
