"""What can fail is made to fail: the message says what and where, nothing is lost, and the running system goes on."""

import collections
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (
    EICAR, HANG_UP, REPOSITORY, Client, Sink, Tree, attachment, check, deliver, finish, message, wait_until, zipped)

PORT, NEXT = 2526, 2525
KEPT = b"kept@t.example"
STRICT = b"strict@t.example"
TRAP = b"ESETS-TEST-TRAP"
PAUSE = b"ESETS-TEST-PAUSE"

tree = Tree(
    smtp={"listen_addr": '"localhost"', "listen_port": PORT, "server_addr": '"127.0.0.1"', "server_port": NEXT,
          "user_config": '"users.cfg"'})
with open(f"{tree.etc}/users.cfg", "w") as file:
    file.write(
        f'[{KEPT.decode()}]\nav_quarantine_enabled = yes\naction_av_infected = "discard"\nav_clean_mode = "none"\n'
        f'[{STRICT.decode()}]\naction_av_notscanned = "reject"\n')
sink = Sink(NEXT)


def said(done):
    return (done.stdout + done.stderr).decode(errors="replace").strip()


def works(what):
    sink.clear()
    reply = attempt(message())
    check(reply == 250 and len(sink.messages) == 1, f"{what}: mail flows ({reply})")


def attempt(content, **more):
    """The code of the last reply; 0 when the connection ended, -1 when there was none."""
    try:
        return deliver(PORT, content, **more)[0]
    except OSError:
        return -1


def compile_module(source, out, *options, symbol="em_module_entry"):
    script = f"{tree.root}/module.map"
    with open(script, "w") as file:
        file.write(f"{{ global: {symbol}; local: *; }};\n")
    subprocess.run(
        ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared",
         "-I", f"{REPOSITORY}/Sources/CModuleABI/include", f"-Wl,-z,now,-z,defs,--version-script={script}", *options,
         "-o", out, f"{REPOSITORY}/Tests/Real/modules/{source}"], check=True)


def sign(path):
    return tree.command("esets_mod", f"--key={tree.etc}/certs/modules.key", "sign", path)


def set_generation(name):
    link = f"{tree.base}/generations/current"
    os.symlink(name, link + ".new")
    os.replace(link + ".new", link)


# ---------------------------------------------------------------- configuration

def configuration():
    print("an error in the configuration")
    with open(tree.cfg) as file:
        good = file.read()
    number = len(good.splitlines()) + 2
    with open(tree.cfg, "w") as file:
        file.write(good + "\naction_av_infectd = \"reject\"\n")
    done = tree.command("esets_daemon")
    check(
        done.returncode == 1 and f"esets.cfg:{number}:" in said(done) and "action_av_infected" in said(done),
        f"at the start: file, line, and the name that was meant: {said(done)}")
    done = tree.command("esets_update")
    check(done.returncode == 78 and f"esets.cfg:{number}:" in said(done), "esets_update says the same and exits with 78")
    with open(tree.cfg, "w") as file:
        file.write(good)
    tree.start()
    works("with the error corrected")
    with open(tree.cfg, "w") as file:
        file.write(good.replace("listen_port = 2526", "listen_port = 70000"))
    done = tree.command("esets_daemon", "--reload")
    check(done.returncode == 1 and "esets.cfg:" in said(done) and "listen_port" in said(done), f"at a reload: {said(done)}")
    check("listen_port" in tree.status()["ConfigurationError"], "the status says it")
    works("with the old configuration")
    with open(tree.cfg, "w") as file:
        file.write(good)
    with open(f"{tree.etc}/users.cfg", "a") as file:
        file.write("[x@t.example]\naction_av = \"maybe\"\n")
    done = tree.command("esets_daemon", "--reload")
    check(done.returncode == 1 and "users.cfg:" in said(done), f"in the user file: {said(done)}")
    works("with the old user file")
    with open(f"{tree.etc}/users.cfg") as file:
        users = file.read()
    with open(f"{tree.etc}/users.cfg", "w") as file:
        file.write(users.replace('[x@t.example]\naction_av = "maybe"\n', ""))
    tree.reload()
    check(tree.status()["ConfigurationError"] == "", "corrected, the status is clean")


# ---------------------------------------------------------------- modules

def refused_generation(what, word, change):
    """A copy of the current generation with something wrong becomes the current one by hand."""
    store = f"{tree.base}/generations"
    now = os.readlink(f"{store}/current")
    number = str(max(int(name) for name in os.listdir(store) if name.isdigit()) + 1)
    shutil.copytree(f"{store}/{now}", f"{store}/{number}")
    change(f"{store}/{number}")
    set_generation(number)
    tree.command("esets_daemon", "--reload")
    # Canaries look at both generations first.
    check(wait_until(lambda: tree.status()["Generation"] == now, 60), "the generation before comes back")
    refusal = tree.status()["LastRefusal"]
    check(word in refusal, f"{what}: {refusal}")
    done = tree.command("esets_mod", f"--generation={number}", "verify")
    check(done.returncode == 1 and word in said(done), "esets_mod verify says the same")
    works("after a refusal")
    set_generation(now)
    shutil.rmtree(f"{store}/{number}")


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def modules():
    print("modules")
    refused_generation("a missing module", "em003", lambda path: os.remove(f"{path}/em003_64.dat"))
    refused_generation(
        "a damaged em002", "em002", lambda path: flip(f"{path}/em002_64.dat", os.path.getsize(f"{path}/em002_64.dat") // 2))
    refused_generation("a changed manifest", "manifest", lambda path: flip(f"{path}/manifest", 20))

    def update_refused(what, word, path):
        before = tree.status()["Generation"]
        target = f"{tree.mirror}/modules/{os.path.basename(path)}"
        shutil.copy(path, target)
        done = tree.update()
        check(done.returncode == 3 and word in said(done), f"{what}: {said(done)[-300:]}")
        check(tree.status()["Generation"] == before, "nothing was changed")
        os.remove(target)
        check(tree.update().returncode == 0, "without it the update is fine")

    module = f"{tree.root}/em110_64.dat"
    compile_module("trap.c", module)
    update_refused("an unsigned module", "signature", module)
    compile_module("trap.c", module, "-DSELFTEST_FAILS")
    sign(module)
    update_refused("a module whose self-test fails", "two and two are five", module)
    check("two and two are five" in tree.log_text(), "the log has the reason too")
    data = f"{tree.root}/em120_64.dat"
    compile_module("writable.c", data, symbol="em_module_data")
    done = tree.command("esets_mod", "verify", data)
    check(done.returncode == 1 and "segments" in said(done), f"a data module with a writable segment: {said(done)}")
    update_refused("the same in the mirror", "em120", data)
    works("after all that")


# ---------------------------------------------------------------- disks

def mount(path, size):
    user = os.stat(path)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700,uid={user.st_uid},gid={user.st_gid}", "none", path], check=True)


def disks():
    print("full disks")
    large = message(b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 90_000)
    spool = f"{tree.cache}/spool"
    mount(spool, "3m")
    sink.clear()
    client = Client(PORT)
    client.hello()
    reply = client.send(large)[-1]
    check(reply[0] == 452 and not sink.messages, f"the spool: {reply[1].decode().strip()}")
    check(wait_until(lambda: spool in tree.log_text() and "no space" in tree.log_text(), 60), "the log says where")
    check(client.send(message())[-1][0] == 250, "the session goes on, with a small message")
    client.close()
    subprocess.run(["umount", "-l", spool], check=True)
    check(attempt(large) == 250, "with space again the large one goes through")

    place = f"{tree.cache}/quarantine"
    mount(place, "64k")
    with open(f"{place}/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    infected = attachment(zipped(EICAR) + os.urandom(100_000), "bad.zip")
    sink.clear()
    code = attempt(infected, recipients=(KEPT,))
    check(code == 451 and not sink.messages, f"the quarantine: a message that would be discarded is deferred: {code}")
    check(wait_until(lambda: "quarantine" in tree.log_text(), 60), "the log says why")
    check(os.listdir(place) == ["filler"], f"nothing half written is left: {os.listdir(place)}")
    works("meanwhile")
    subprocess.run(["umount", "-l", place], check=True)
    code = attempt(infected, recipients=(KEPT,))
    check(code == 250 and len(os.listdir(place)) == 2, "with space again it is kept and discarded")


# ---------------------------------------------------------------- the next hop

def next_hop():
    print("the next hop")
    global sink
    sink.close()
    check(walk(message()) == 421, "unreachable: 421")
    check(
        wait_until(lambda: any("127.0.0.1" in line and "refused" in line for line in tree.log_text().splitlines()), 60),
        "the log says where and why")
    # What the next hop answers at a stage, and what the client may hear.
    four, five = b"450 4.7.0 not now\r\n", b"550 5.7.0 not ever\r\n"
    cases = [
        ("GREETING", four, (421,)), ("GREETING", five, (421, 554, 550)), ("GREETING", HANG_UP, (421,)),
        ("EHLO", four, (450, 421)), ("EHLO", HANG_UP, (421, 0)),
        ("MAIL", four, (450,)), ("MAIL", five, (550,)), ("MAIL", HANG_UP, (421, 0)),
        ("RCPT", four, (450,)), ("RCPT", five, (550,)), ("RCPT", HANG_UP, (421, 0)),
        ("DATA", four, (450,)), ("DATA", five, (550,)), ("DATA", HANG_UP, (451, 421)), ("DATA", b"250 nonsense\r\n", (451,)),
        ("TEXT", HANG_UP, (451,)), ("END", four, (450,)), ("END", five, (550,)), ("END", HANG_UP, (451,)),
        ("END", b"354 nonsense\r\n", (451,)), ("END", b"garbage\r\n", (451,)), ("END", b"2" * 100_000, (451,)),
        ("MAIL", b"\0\r\n", (421, 0)), ("MAIL", b"250-" + b"x" * 200_000 + b"\r\n", (421, 0)),
    ]
    for stage, answer, expected in cases:
        sink = Sink(NEXT, refuse={stage: answer})
        content = message(b"z" * 60 + b"\r\n" + b"text\r\n" * (100_000 if stage == "TEXT" else 1))
        code = walk(content)
        name = "hangs up" if answer is HANG_UP else answer[:20].decode("latin-1").strip()
        check(code in expected and not sink.messages, f"{stage}: {name!r}: the client hears {code}")
        sink.close()
    sink = Sink(NEXT, refuse={"EHLO": b"502 what\r\n"})
    check(walk(message()) == 250 and len(sink.messages) == 1, "a server that knows only HELO")
    sink.close()
    sink = Sink(NEXT)
    works("with a good one again")


def walk(content):
    """The first reply that is not positive on the way of one message, or the last one; 0 when the connection ends."""
    client = Client(PORT)
    try:
        code = client.reply()[0]
        for line in (b"EHLO test.example.org", b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA"):
            if not 200 <= code < 300:
                return code
            code = client.command(line)[0]
        if code != 354:
            return code
        client.socket.sendall(content + b".\r\n")
        return client.reply()[0]
    except OSError:
        return 0
    finally:
        client.close()


# ---------------------------------------------------------------- the scanner

def truncation():
    print("files that change while they are scanned")
    crashes = tree.status()["Crashes"]
    path = f"{tree.root}/changing.bin"
    stop = threading.Event()
    file = open(path, "wb")

    def change():
        while not stop.is_set():
            file.truncate(48 << 20)
            time.sleep(0.005)
            file.truncate(0)
    worker = threading.Thread(target=change)
    worker.start()
    codes = collections.Counter()
    for _ in range(12):
        codes[tree.command("esets_scan", "--clean-mode=none", path).returncode] += 1
    stop.set()
    worker.join()
    file.close()
    check(set(codes) <= {0, 10}, f"each scan ends with 0 or 10: {dict(codes)}")
    check(tree.status()["Crashes"] == crashes, "no scanning process died of it")
    os.remove(path)


def install_trap():
    module = f"{tree.mirror}/modules/em110_64.dat"
    compile_module("trap.c", module)
    sign(module)
    done = tree.update()
    check(done.returncode == 0, f"a module that misbehaves on command is in use: {said(done)[-200:]}")


def kills():
    print("scanning processes that are killed")
    before = len(os.listdir(f"{tree.cache}/crash"))
    crashes = tree.status()["Crashes"]
    stop = threading.Event()
    count = 0

    def kill():
        nonlocal count
        while not stop.wait(0.15):
            for pid in tree.scanners():
                try:
                    os.kill(pid, signal.SIGKILL)
                    count += 1
                except ProcessLookupError:
                    pass
    worker = threading.Thread(target=kill)
    sink.clear()
    with ThreadPoolExecutor(20) as pool:
        replies = [
            pool.submit(attempt, message(PAUSE + b"\r\n", subject=f"kill-{n}".encode())) for n in range(20)]
        worker.start()
        time.sleep(3)
        wait_until(lambda: count > 10, 60)
        stop.set()
        worker.join()
        codes = collections.Counter(reply.result() for reply in replies)
    check(count > 10 and set(codes) <= {250, 451}, f"{count} killed: each message is delivered or deferred: {dict(codes)}")
    check(codes[250] == len(sink.messages), "and none that was acknowledged is lost, or delivered twice")
    check(
        len(os.listdir(f"{tree.cache}/crash")) == before and tree.status()["Crashes"] == crashes, "nobody was blamed for it")
    check(wait_until(lambda: attempt(message(PAUSE + b"\r\n")) == 250, 30, 0.5), "afterwards mail flows")


def crash():
    print("an object that crashes a module")
    directory = f"{tree.cache}/crash"
    sink.clear()
    bad = message(TRAP + b"\r\n", subject=b"bad")
    with ThreadPoolExecutor(24) as pool:
        innocent = [
            pool.submit(attempt, message(PAUSE + b"\r\n", subject=f"innocent-{n}".encode())) for n in range(16)]
        time.sleep(0.2)
        code = attempt(bad)
        codes = collections.Counter(reply.result() for reply in innocent)
    check(code == 451, f"it is deferred: {code}")
    check(codes == {250: 16}, f"messages that were scanned at the same time are delivered: {dict(codes)}")
    subjects = collections.Counter(text.split(b"Subject: ")[1].split(b"\r\n")[0] for _, _, text in sink.messages)
    check(len(subjects) == 16 and set(subjects.values()) == {1} and b"bad" not in subjects, "each of them once")
    kept = wait_until(lambda: [n for n in os.listdir(directory) if n.endswith(".object")], 60)
    check(len(kept) == 1, f"the object is kept: {os.listdir(directory)}")
    if kept:
        with open(f"{directory}/{kept[0]}", "rb") as file:
            check(wait_until(lambda: file.seek(0) == 0 and file.read() == bad, 60), "byte for byte")
        with open(f"{directory}/{kept[0][:-7]}.txt") as file:
            check("generation" in file.read(), "with the generation that it crashed")
    check(wait_until(lambda: 'crash' in tree.log_text() and kept and kept[0] in tree.log_text(), 60), "the log says where")
    check(int(tree.status()["Crashes"]) == 2, f"two processes died: {tree.status()['Crashes']}")
    works("meanwhile")

    print("crashes again and again after a swap")
    now = tree.status()["Generation"]
    # The third crash of a process that serves everybody counts; those of isolated processes do not.
    # The last one may be tried again with the modules from before.
    check(attempt(bad) == 451 and attempt(bad) in (250, 451), "deferred again")
    check(
        wait_until(lambda: tree.status()["Generation"] != now, 60), f"the manager goes back to the generation before {now}")
    check("crash" in tree.status()["LastRefusal"], f"and says why: {tree.status()['LastRefusal']}")
    check(wait_until(lambda: attempt(bad) == 250, 30, 0.5), "with which the message can be scanned")
    os.remove(f"{tree.mirror}/modules/em110_64.dat")
    check(tree.update("--force").returncode == 0, "an update without the module")


def limit(pid):
    try:
        with open(f"/proc/{pid}/limits") as file:
            soft = next(line for line in file if line.startswith("Max address space"))[26:].split()[0]
            return resource.RLIM_INFINITY if soft == "unlimited" else int(soft)
    except (OSError, StopIteration):
        return resource.RLIM_INFINITY


def squeeze():
    """In a process of its own: gives scanning processes 4 MiB more than they have, as their own user may."""
    while True:
        for pid in tree.scanners():
            try:
                with open(f"/proc/{pid}/status") as file:
                    ids = {line[:3]: int(line.split()[1]) for line in file if line.startswith(("Uid", "Gid"))}
                if os.getuid() == 0:
                    os.setgroups([])
                    os.setresgid(*[ids["Gid"]] * 3)
                    os.setresuid(*[ids["Uid"]] * 3)
                with open(f"/proc/{pid}/statm") as file:
                    size = int(file.read().split()[0]) * 4096
                if limit(pid) == resource.RLIM_INFINITY:
                    resource.prlimit(pid, resource.RLIMIT_AS, (size + (4 << 20), resource.RLIM_INFINITY))
            except (OSError, ValueError):
                pass
        time.sleep(0.01)


def no_memory():
    print("no memory")
    tree.signature("Test.Far", "found behind sixty million bytes")
    check(tree.update().returncode == 0, "a signature")
    big = attachment(zipped(bytes(60 << 20) + os.urandom(200_000) + b"found behind sixty million bytes"), "big.zip")
    check(attempt(big, recipients=(STRICT,)) == 550, "with memory it is found")
    # A fresh process has no memory left over from the scan before.
    old = tree.scanners()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    check(
        wait_until(lambda: set(tree.ready_scanners()) - set(old), 60), "a fresh scanning process")
    squeezer = os.fork()
    if squeezer == 0:
        squeeze()
    sink.clear()
    check(
        wait_until(lambda: all(limit(pid) != resource.RLIM_INFINITY for pid in tree.scanners()), 60), "memory is limited")
    code = attempt(big, recipients=(STRICT,))
    os.kill(squeezer, signal.SIGKILL)
    os.waitpid(squeezer, 0)
    line = [line for line in tree.log_text().splitlines() if STRICT.decode() in line][-1]
    check('avstatus="infected"' not in line and "clean" not in line, f"there is too little memory: {line[-160:]}")
    check(code in (451, 550) and not [m for m in sink.messages if b"big.zip" in m[2]], f"without, it is never delivered: {code}")
    for pid in tree.scanners():
        os.kill(pid, signal.SIGKILL)
    check(wait_until(lambda: attempt(message()) == 250, 30, 0.5), "with memory again mail flows")
    check(attempt(big, recipients=(STRICT,)) == 550, "and the large one is scanned")


# ---------------------------------------------------------------- the manager

def manager():
    print("the manager is killed")
    with open(f"{tree.root}/var/run/esets_daemon.pid") as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 60)
    sink.clear()
    code = attempt(message())
    check(code in (-1, 0, 421, 451) and not sink.messages, f"mail waits: {code}")
    done = tree.command("esets_daemon")
    check(done.returncode == 0, f"it starts again at once, {said(done)}")
    check(wait_until(lambda: attempt(message()) == 250, 60, 0.5), "and mail flows")
    check(
        wait_until(lambda: len(tree.processes("esets_smtp")) == 1, 60), f"one agent is there: {tree.processes('esets_smtp')}")

    print("an agent is killed")
    os.kill(tree.processes("esets_smtp")[0], signal.SIGKILL)
    check(wait_until(lambda: attempt(message()) == 250, 60, 0.2), "clients wait for the next one")


try:
    for step in (configuration, modules, disks, next_hop, truncation, install_trap, kills, crash, no_memory, manager):
        step()
finally:
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
finish()
