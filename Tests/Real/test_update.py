"""Updates: sources of every kind, and every fault: after each the system scans with a complete generation, and the next
update succeeds."""

import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import EICAR, Tree, check, finish, wait_until
from updates import UpdateServer, body_signatures

KILLS = int(os.environ.get("ESETS_TEST_KILLS", "200"))
random.seed(int(os.environ.get("ESETS_TEST_SEED", "1")))

work = tempfile.mkdtemp(prefix="esets-update-test-")
os.chmod(work, 0o755)
lists = f"{work}/lists"
os.makedirs(lists)
os.makedirs(f"{work}/sources/signatures")


# Digests of every version that the server of lists had.
published = set()


def publish(content, name="list.ndb"):
    """A new version on the server of lists, with its checksum."""
    published.add(hashlib.sha256(content).hexdigest())
    for path, data in ((f"{lists}/{name}", content), (f"{lists}/{name}.sha256", hashlib.sha256(content).hexdigest().encode())):
        with open(path + ".new", "wb") as out:
            out.write(data)
        os.rename(path + ".new", path)


tree = Tree()
server = UpdateServer(lists)
repository = None


def update(*arguments, expect=0):
    done = tree.update(*arguments)
    if expect is not None and done.returncode != expect:
        check(False, f"esets_update {' '.join(arguments)} ends with {done.returncode}, not {expect}: "
              f"{done.stdout.decode()}{done.stderr.decode()}")
    return done


def report(*arguments, expect=0):
    done = update("--json", *arguments, expect=expect)
    try:
        return json.loads(done.stdout)
    except ValueError:
        check(False, f"no JSON: {done.stdout.decode()} {done.stderr.decode()}")
        return {}


def finds(text):
    """Whether the daemon's scanning processes find something in it."""
    path = f"{work}/object"
    with open(path, "wb") as out:
        out.write(b"some text before, " + text + b" and after.\n")
    return tree.command("esets_scan", "--clean-mode=none", path).returncode == 50


def is_sound(what):
    """One complete generation is in use."""
    current = f"{tree.base}/generations/current"
    good = os.path.islink(current) and os.path.isfile(f"{current}/manifest")
    good = good and all(os.path.exists(f"{tree.base}/em00{n}_64.dat") for n in range(7))
    if not good:
        check(False, f"{what}: no complete generation")
    return good


def state():
    with open(f"{tree.base}/data/sources.json") as file:
        return json.load(file)


def named_files_are_whole(what):
    """Every file that the state names lies in the mirror, whole: as it was, or as it was published since.

    A file is put in its place before the state says so: killed in between, the next update fetches it once more.
    """
    if not os.path.exists(f"{tree.base}/data/sources.json"):
        return
    for upstream in state()["upstreams"].values():
        for file in upstream["files"]:
            with open(f"{tree.mirror}/{file['path']}", "rb") as content:
                digest = hashlib.sha256(content.read()).hexdigest()
                if digest != file["sha256"] and digest not in published:
                    check(False, f"{what}: {file['path']} is neither what the state says nor what was published")


def test_list():
    content, marker = body_signatures(2000, 1)
    publish(content)
    result = report()
    check(result.get("updated") and result["upstreams"][0]["status"] == "updated", "a list is fetched and compiled")
    check(finds(marker), "what it brought is found")
    server.take()
    result = report()
    check(not result.get("updated") and result["upstreams"][0]["bytes"] == 0, "unchanged, it costs no bytes")
    content, marker = body_signatures(2000, 2)
    with open(f"{lists}/list.ndb", "wb") as out:
        out.write(content)
    done = update(expect=1)
    check(b"checksum" in done.stderr, "a file that its checksum does not fit is refused, and told")
    check(not finds(marker) and finds(body_signatures(2000, 1)[1]), "and what was there stays in use")
    publish(content)
    update()
    check(finds(marker), "with the right checksum it is taken")


def test_busy_and_credentials():
    server.refuse = (429, {"Retry-After": "3600"})
    done = update("--verbose", expect=1)
    check(b"fewer requests" in done.stderr, "a server that wants fewer requests is told about")
    server.refuse = None
    server.take()
    done = update(expect=1)
    check(not server.take() and b"left alone" in done.stderr, "it is not asked before its time")
    # A clock that was wrong when the rest was noted.
    value = state()
    value["rests"] = {host: time.time() + 400 * 86_400 for host in value["rests"]}
    value["rests"] = {host: int(until) for host, until in value["rests"].items()}
    with open(f"{tree.base}/data/sources.json", "w") as out:
        json.dump(value, out)
    update()
    check(bool(server.take()), "a rest of a year comes from a wrong clock and does not count")
    server.password = "Basic " + base64.b64encode(b"me:secret").decode()
    update(expect=2)
    check(True, "refused credentials end with 2")
    tree.set("update:lists", 'update_username = "me"')
    tree.set("update:lists", 'update_password = "secret"')
    update()
    command = f"{tree.sbin}/esets_update"
    check(os.path.exists(command), "with credentials it works")
    server.password = None


def test_jitter():
    """Each waits for a time of its own before it asks anybody; what is configured meanwhile counts."""
    update("--jitter=86401", expect=64)
    update("--jitter=-1", expect=64)
    server.take()
    told = []
    for _ in range(8):
        process = subprocess.Popen(
            [f"{tree.sbin}/esets_update", f"--root={tree.root}", "--verbose", "--jitter=86400"], stderr=subprocess.PIPE)
        told.append(int(re.search(rb"waiting (\d+) seconds of 86400", process.stderr.readline()).group(1)))
        process.kill()
        process.wait()
        process.stderr.close()
    check(all(0 <= seconds <= 86_400 for seconds in told) and len(set(told)) > 1, f"the waiting times differ: {told}")
    check(not server.take(), "while they wait, nobody is asked")
    for _ in range(20):
        process = subprocess.Popen(
            [f"{tree.sbin}/esets_update", f"--root={tree.root}", "--verbose", "--jitter=4"], stderr=subprocess.PIPE)
        began = time.monotonic()
        seconds = int(re.search(rb"waiting (\d+) seconds of 4", process.stderr.readline()).group(1))
        if seconds < 2:
            process.kill()
            process.communicate()
            continue
        content, marker = body_signatures(2000, 77)
        publish(content)
        process.communicate()
        check(process.returncode == 0 and time.monotonic() - began >= seconds - 0.1, f"it waited its {seconds} seconds")
        check(finds(marker), "and brings what was published while it waited")
        return
    check(False, "twenty times no waiting time of two seconds")


def test_going_back():
    before = report()["generation"]
    content, marker = body_signatures(2000, 3)
    publish(content)
    update()
    check(finds(marker), "a new generation is in use")
    done = update("--rollback")
    check(f"Generation {before} is in use again".encode() in done.stdout, "--rollback goes to the one before")
    check(not finds(marker), "and it is in use")
    result = report()
    check("held" in result and not finds(marker), "the next update does not undo it")
    listed = json.loads(update("--list", "--json").stdout)
    check([entry["number"] for entry in listed["generations"] if entry["current"]] == [before], "--list shows it")
    content, marker = body_signatures(2000, 4)
    publish(content)
    update()
    check(finds(marker), "other content ends it")
    done = tree.update("--rollback=9999")
    check(done.returncode == 1 and b"no generation 9999" in done.stderr, "a generation that is not there is named")


def test_two_at_once():
    content, marker = body_signatures(20_000, 5)
    publish(content)
    # Nobody is answered before one of them has ended: it met the other at work.
    answer = threading.Event()

    def hold(path):
        answer.wait(60)

    server.cut = hold
    command = [f"{tree.sbin}/esets_update", f"--root={tree.root}"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    wait_until(lambda: any(one.poll() is not None for one in both), 60)
    answer.set()
    server.cut = lambda path: None
    codes = []
    for one in both:
        one.communicate(timeout=120)
        codes.append(one.returncode)
    check(sorted(codes) == [0, 75], f"of two updaters one works, the other ends with 75: {codes}")
    check(finds(marker), "and the update is in use")


def test_cut():
    content, marker = body_signatures(20_000, 6)
    publish(content)
    breaks = {}

    def cut(path):
        breaks[path] = breaks.get(path, 0) + 1
        return random.randrange(1, 500_000) if path == "list.ndb" and breaks[path] <= 3 else None

    server.cut = cut
    server.take()
    update()
    ranges = [fields["Range"] for path, fields in server.take() if path == "list.ndb" and "Range" in fields]
    server.cut = lambda path: None
    check(len(ranges) >= 2, f"a connection that is cut mid-file is gone on with: {ranges}")
    check(finds(marker), "and the file is whole")
    # Cut for ever: the next update goes on where this one stopped.
    content, marker = body_signatures(20_000, 7)
    publish(content)
    server.cut = lambda path: 300_000 if path == "list.ndb" else None
    update(expect=None)
    server.cut = lambda path: None
    update()
    check(finds(marker), "also by the next update")


def test_kills():
    """kill -9 at any moment of download, compilation, installation and swap."""
    server.delay = 0.001
    publish(body_signatures(5000, 99)[0])
    begin = time.monotonic()
    update()
    # The moments to kill follow how long an update takes here and now.
    reach = 1.1 * (time.monotonic() - begin)
    killed, marker = 0, None
    for number in range(KILLS):
        content, marker = body_signatures(5000, 1000 + number)
        publish(content)
        process = subprocess.Popen(
            [f"{tree.sbin}/esets_update", f"--root={tree.root}"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(random.uniform(0, reach))
        if process.poll() is None:
            killed += 1
            reach *= 1.1
        else:
            reach /= 1.3
        try:
            # A crash of the machine ends all of them, the kernel's out-of-memory killer one.
            (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        is_sound(f"kill {number}")
        named_files_are_whole(f"kill {number}")
        if number % 20 == 19:
            wait_until(lambda: not tree.processes("esets_update"), 30)
            update()
            if not finds(marker):
                check(False, f"after kill {number} the next update brings what is new")
    server.delay = 0
    wait_until(lambda: not tree.processes("esets_update"), 30)
    update()
    check(killed > KILLS // 3, f"{killed} of {KILLS} updates were killed at work")
    check(is_sound("after all kills") and finds(marker), "and the last update is in use")
    left = [name for name in os.listdir(f"{tree.base}/generations") if name.startswith(".staged")]
    left += [name for name in os.listdir(f"{tree.root}/tmp") if name.startswith("esets-compile")]
    check(not left, f"nothing is left of those that were killed: {left}")


def test_full_disk():
    """Each write of an update fails once: the disk has so much room and no more."""
    content, marker = body_signatures(5000, 8)
    tree.stop()
    disk = f"{work}/disk"
    os.makedirs(disk)
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(tree.base) for name in names
               if not os.path.islink(os.path.join(folder, name)))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size * 2 + (64 << 20)}", "tmpfs", disk], check=True)
    saved = f"{tree.base}.saved"
    try:
        subprocess.run(["cp", "-a", f"{tree.base}/.", disk], check=True)
        os.rename(tree.base, saved)
        os.makedirs(tree.base)
        subprocess.run(["mount", "--move", disk, tree.base], check=True)
        subprocess.run([f"{tree.sbin}/esets_daemon", f"--root={tree.root}"], check=True)
        wait_until(lambda: tree.status(), 10)
        publish(content)
        filler = f"{tree.base}/filler"
        failed = 0
        room = 0
        while room < 24 << 20:
            free = os.statvfs(tree.base)
            with open(filler, "wb") as out:
                os.posix_fallocate(out.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room))
            done = tree.update()
            failed += done.returncode != 0
            is_sound(f"with {room} bytes of room")
            named_files_are_whole(f"with {room} bytes of room")
            os.remove(filler)
            if done.returncode == 0:
                break
            room = room * 3 // 2 + 4096
        check(failed >= 5, f"{failed} updates failed for want of room")
        update()
        check(finds(marker), "and with room the next one is in use")
    finally:
        tree.stop()
        subprocess.run(["umount", "-l", tree.base], check=False)
        if os.path.exists(saved):
            os.rmdir(tree.base)
            os.rename(saved, tree.base)
    tree.command("esets_daemon")
    wait_until(lambda: tree.status(), 10)


def test_clock():
    """What was written under a clock that was wrong does not keep later updates."""
    for shift, what in ((+10 * 365 * 86_400, "forward"), (-10 * 365 * 86_400, "back")):
        update()
        stamp = time.time() + shift
        value = state()
        for upstream in value["upstreams"].values():
            upstream["checked"] = upstream["updated"] = int(stamp)
        with open(f"{tree.base}/data/sources.json", "w") as out:
            json.dump(value, out)
        for folder, _, names in os.walk(tree.base):
            for name in names:
                os.utime(os.path.join(folder, name), (stamp, stamp), follow_symlinks=False)
        tree.set("update:lists", "update_interval = 60")
        content, marker = body_signatures(2000, 20 if shift > 0 else 21)
        publish(content)
        update()
        check(finds(marker), f"a clock that had been set {what} does not keep an update")
        tree.set("update:lists", "update_interval")


def test_damaged_state():
    with open(f"{tree.base}/data/sources.json", "w") as out:
        out.write('{"format": 1, "upstr')
    server.refuse = (500, {})
    done = update(expect=1)
    check(b"damaged" in done.stderr, "a damaged state is told, and nothing is installed without its sources")
    server.refuse = None
    update()
    check(finds(body_signatures(2000, 21)[1]), "everything is fetched again")


def test_repository():
    """An update repository of our own, its mirror, a folder, and servers that fail."""
    publisher = f"{tree.sbin}/esets_publish"
    if not os.path.exists(publisher):
        publisher = f"{os.environ.get('ESETS_BUILD', '')}/esets_publish"
    if not os.path.exists(publisher):
        return check(True, "(no esets_publish is installed: update repositories are left out)")
    place = f"{work}/repository"

    def run(*arguments):
        done = subprocess.run([publisher, *arguments], capture_output=True, timeout=300, env={
            **os.environ, "LD_LIBRARY_PATH": f"{tree.root}/opt/eset/esets/lib"})
        if done.returncode not in (0, 3):
            check(False, f"esets_publish {' '.join(arguments)}: {done.stderr.decode()}")

    def bring(seed, count=3000):
        content, marker = body_signatures(count, seed)
        with open(f"{work}/sources/signatures/repo.ndb", "wb") as out:
            out.write(content)
        return marker

    marker = bring(100)
    run("create", place, f"--sources={work}/sources")
    main = UpdateServer(f"{place}/public")
    os.makedirs(f"{tree.etc}/certs/update", exist_ok=True)
    shutil.copy(f"{place}/root.json", f"{tree.etc}/certs/update/root.json")
    tree.set("global", f'av_update_server = "http://127.0.0.1:1"')
    tree.set("global", f'av_update_server_list = "{main.base}"')
    tree.set("global", "av_mirror_enabled = yes")
    result = report()
    check(finds(marker), "a repository's signatures are in use, the second server had them")
    # A delta: one more line.
    content, _ = body_signatures(3000, 100)
    extra = b"delta marker of a repository"
    with open(f"{work}/sources/signatures/repo.ndb", "wb") as out:
        out.write(content + b"Test.Delta:0:*:" + extra.hex().encode() + b"\n")
    run("sync", place, f"--sources={work}/sources")
    tree.set("global", "av_mirror_enabled = no")
    main.take()
    result = report()
    paths = [path for path, _ in main.take()]
    check(any("/deltas/" in path for path in paths) and not any(path.endswith(".repo.ndb") for path in paths),
          f"a delta takes the place of the file: {paths}")
    check(finds(extra), "and what it makes is in use")
    tree.set("global", "av_mirror_enabled = yes")
    update()

    # From a copy of the mirror, without a network.
    stick = f"{work}/stick"
    shutil.copytree(tree.mirror, stick)
    subprocess.run(["chmod", "-R", "a+rX", stick], check=True)
    other = Tree()
    try:
        os.makedirs(f"{other.etc}/certs/update", exist_ok=True)
        shutil.copy(f"{place}/root.json", f"{other.etc}/certs/update/root.json")
        done = other.update("--offline", stick)
        check(done.returncode == 0, f"a second system updates from a folder: {done.stderr.decode()}")
        listed = json.loads(other.update("--list", "--json").stdout)
        check([u["name"] for u in listed["upstreams"]] == ["repository"], "and knows the repository from then on")
    finally:
        other.remove()

    # Everything again from a server that has been frozen in an older state.
    old = f"{work}/frozen"
    shutil.copytree(f"{place}/public", old)
    marker = bring(101)
    run("sync", place, f"--sources={work}/sources")
    update()
    check(finds(marker), "a newer state is in use")
    frozen = UpdateServer(old)
    tree.set("global", f'av_update_server = "{frozen.base}"')
    tree.set("global", 'av_update_server_list = ""')
    done = update(expect=1)
    check(b"older" in done.stderr and finds(marker), "a server that went back is not believed")
    tree.set("global", f'av_update_failsafe_server = "{main.base}"')
    update()
    check(True, "the failsafe server takes over")
    for name in ("av_update_server", "av_update_server_list", "av_update_failsafe_server", "av_mirror_enabled"):
        tree.set("global", name)
    update()
    check(not finds(marker), "what a source brought goes with the source")
    frozen.close()
    main.close()


try:
    tree.set("update:lists", 'update_kind = "list"')
    tree.set("update:lists", f'update_server = "{server.base}"')
    tree.set("update:lists", 'update_files = "list.ndb"')
    tree.set("update:lists", 'update_checksum = "beside"')
    publish(body_signatures(10, 0)[0])
    tree.start()
    for test in (test_list, test_jitter, test_busy_and_credentials, test_going_back, test_two_at_once, test_cut, test_clock,
                 test_damaged_state, test_repository, test_kills, test_full_disk):
        print(f"{test.__name__}: {(test.__doc__ or '').splitlines()[0] if test.__doc__ else ''}", flush=True)
        test()
    problems = [line for line in tree.log_text().splitlines() if "crash" in line]
    check(not problems, f"no scanning process crashed: {problems[:3]}")
finally:
    tree.remove()
    server.close()
    shutil.rmtree(work, ignore_errors=True)
finish()
