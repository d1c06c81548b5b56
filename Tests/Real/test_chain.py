"""A chain of real programs: a publisher, a mirror in front of it that wants a password, an update into a second mirror,
which serves a third system."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from harness import Tree, check, finish, wait_until
from updates import body_signatures

FIRST, SECOND = 2231, 2232
work = tempfile.mkdtemp(prefix="esets-chain-")
os.chmod(work, 0o755)
os.makedirs(f"{work}/sources/signatures")


def mird(port, *more):
    return [("mird", "agent_enabled = yes"), ("mird", 'listen_addr = "127.0.0.1"'), ("mird", f"listen_port = {port}"),
            ("mird", 'mird_access_log = "@CACHEDIR@/logs/mirror.log"'), *[("mird", text) for text in more]]


def update_from(port):
    return [("global", f'av_update_server = "http://127.0.0.1:{port}"')]


head = Tree(options=mird(FIRST, 'auth_mode = "basic"', 'username = "branch"', 'password = "a word"')
            + [("global", 'av_mirror_dir = "/srv/updates/public"')])
# Paths of the configuration lie below the root.
place = f"{head.root}/srv/updates"
os.makedirs(f"{head.root}/srv")
branch = Tree(options=mird(SECOND) + update_from(FIRST) + [("global", "av_mirror_enabled = yes")])
client = Tree(options=update_from(SECOND))
trees = [head, branch, client]


def publish(content, *arguments):
    with open(f"{work}/sources/signatures/chain.ndb", "wb") as out:
        out.write(content)
    command = "sync" if os.path.exists(place) else "create"
    done = subprocess.run(
        [f"{head.sbin}/esets_publish", command, place, f"--sources={work}/sources", *arguments], capture_output=True,
        env={**os.environ, "LD_LIBRARY_PATH": f"{head.root}/opt/eset/esets/lib"}, timeout=120)
    check(done.returncode == 0, f"esets_publish {command}: {done.stderr.decode()}")


def update(tree, expect=0):
    done = tree.update("--json")
    check(done.returncode == expect, f"esets_update ends with {done.returncode}, wanted {expect}: {done.stderr.decode()}")
    return json.loads(done.stdout)["upstreams"][0] if done.stdout else {}


def digests(folder):
    """SHA-256 of every file below, by its path."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with open(f"{place}/{name}", "rb") as file:
                found[os.path.relpath(f"{place}/{name}", folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def requests(tree):
    """What the mirror of a tree was asked for, without the leading slash, with the status."""
    with open(f"{tree.cache}/logs/mirror.log") as file:
        lines = [line.split('"') for line in file]
    return [(line[1].split()[1].lstrip("/"), int(line[2].split()[0])) for line in lines]


def agrees(tree):
    """Everything in the mirror that came from the repository is what was published, byte for byte."""
    mine, published = digests(tree.mirror), digests(f"{place}/public")
    mine = {path: digest for path, digest in mine.items() if path.startswith(("metadata/", "targets/"))}
    other = [path for path, digest in mine.items() if published.get(path) != digest]
    return check(len(mine) > 5 and not other, f"{len(mine)} files of the mirror are as they were published: {other}")


def finds(tree, text):
    path = f"{work}/object"
    with open(path, "wb") as out:
        out.write(b"before " + text + b" after\n")
    return tree.command("esets_scan", "--clean-mode=none", path).returncode == 50


def serves(tree, port):
    check(tree.command("esets_daemon").returncode == 0, "a mirror starts")
    return wait_until(lambda: subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/"]).returncode == 0, 60)


try:
    content, marker = body_signatures(3000, 1)
    publish(content)
    for tree in (branch, client):
        # The client's own sources would be compiled, too.
        shutil.rmtree(f"{tree.mirror}/signatures", ignore_errors=True)
        os.makedirs(f"{tree.etc}/certs/update", exist_ok=True)
        shutil.copy(f"{place}/root.json", f"{tree.etc}/certs/update/root.json")
    check(serves(head, FIRST), "the first mirror serves the publisher's folder")
    done = branch.update()
    check(done.returncode == 2 and b"av_update_username" in done.stderr, f"without a password: {done.stderr.decode()}")
    branch.set("global", 'av_update_username = "branch"')
    branch.set("global", 'av_update_password = "a word"')
    check(update(branch).get("status") == "updated", "with it the second mirror is filled")
    agrees(branch)
    check(serves(branch, SECOND), "the second mirror serves")
    check(update(client).get("status") == "updated", "a client of the second mirror is updated")
    check(client.command("esets_daemon").returncode == 0 and wait_until(lambda: finds(client, marker), 60),
          "and finds what was published")
    wait_until(lambda: any(path.startswith("targets/") for path, _ in requests(branch)), 60)
    asked = [path for path, status in requests(branch) if status == 200 and path.startswith("targets/")]
    check(asked and all("/deltas/" in path for path in asked), f"it fetched the file compressed: {asked}")

    # What changes goes through both.
    content += b"Test.Chain:0:*:%s\n" % b"a second text for the chain".hex().encode()
    publish(content)
    check(update(client).get("status") == "current", "before the second mirror knows of it, there is nothing new")
    check(update(branch).get("status") == "updated", "the second mirror takes what changed")
    agrees(branch)
    time.sleep(1.2)  # A mirror looks at a file again after a second.
    result = update(client)
    check(result.get("status") == "updated" and result["bytes"] < 20_000,
          f"the client takes a delta of it: {result.get('bytes')} bytes")
    check(finds(client, b"a second text for the chain"), "and finds what is new")

    # Names and validators stay through both: either mirror can end a download that the other one began.
    name = next(path for path in digests(f"{branch.mirror}/targets") if "deltas/" in path)
    heads = []
    for port, login in ((FIRST, ["-u", "branch:a word"]), (SECOND, [])):
        done = subprocess.run(["curl", "-sI", *login, f"http://127.0.0.1:{port}/targets/{name}"], capture_output=True)
        heads.append(sorted(line for line in done.stdout.decode().lower().splitlines()
                            if line.startswith(("content-length", "cache-control"))))
    check(len(heads[0]) == 2 and heads[0] == heads[1], f"both say the same of a file: {heads}")

    # The head's mirror is down: the branch goes on serving what it has.
    head.stop()
    done = branch.update()
    check(done.returncode == 1, "an upstream that is down is an error")
    check(update(client).get("status") == "current", "the second mirror goes on serving")
    check("Fatal error" not in head.log_text() + branch.log_text(), "nothing trapped")
finally:
    for tree in trees:
        tree.remove()
    shutil.rmtree(work, ignore_errors=True)
finish()
