"""New generations that are not good enough: refused with the reason, or left again within the time after the swap."""

import json
import os
import re
import subprocess
import time

from harness import REPOSITORY, Tree, check, finish, wait_until

tree = Tree(options=[("global", "num_proc = 2"), ("global", 'action_av_crashed = "accept"')])
events = f"{tree.root}/events"
os.mkdir(events)
os.chmod(events, 0o777)
with open(f"{tree.root}/told", "w") as file:
    file.write(f'echo "$ESETS_EVENT|$ESETS_NAME|$1|$2|$ESETS_INFO|$(id -u)" >> {events}/list\n')
tree.set("global", f'scheduler_tasks = "200;Refused;;;refused;/bin/sh {tree.root}/told;'
                   f'201;Swapped;;;engine;/bin/sh {tree.root}/told;"')
MODULE = f"{tree.mirror}/modules/em110_64.dat"


def said(done):
    return (done.stdout + done.stderr).decode(errors="replace").strip()


def heard():
    try:
        with open(f"{events}/list") as file:
            return [line.rstrip("\n").split("|") for line in file]
    except FileNotFoundError:
        return []


def module(*options):
    """A code module that misbehaves, signed like any other, into the mirror."""
    script = f"{tree.root}/module.map"
    with open(script, "w") as file:
        file.write("{ global: em_module_entry; local: *; };\n")
    out = f"{tree.root}/em110_64.dat"
    subprocess.run(
        ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared",
         "-I", f"{REPOSITORY}/Sources/CModuleABI/include", f"-Wl,-z,now,-z,defs,--version-script={script}", *options,
         "-o", out, f"{REPOSITORY}/Tests/Real/modules/trap.c"], check=True)
    done = tree.command("esets_mod", f"--key={tree.etc}/certs/modules.key", "sign", out)
    assert done.returncode == 0, said(done)
    os.replace(out, MODULE)


def put(name, text):
    path = f"{tree.root}/tmp/{name}"
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return path


def generation():
    return tree.status()["Generation"]


def refused():
    print("refused before the swap")
    before = generation()
    # A false positive on one of the messages whose verdict is known.
    tree.signature("Test.FalsePositive", "shall we meet at ten? I bring the plans.", file="false.ndb")
    done = tree.update()
    check(done.returncode == 3 and "known answers" in said(done), f"a false positive: {said(done)[-200:]}")
    status = tree.status()
    check("known answers" in status["LastRefusal"] and "Test.FalsePositive" in status["LastRefusal"], "--status --json says why")
    check(abs(int(status["LastRefusalTime"]) - time.time()) < 120, "and when")
    check(f"LastRefusal={status['LastRefusal']}" in tree.command("esets_daemon", "--status").stdout.decode(), "--status, too")
    check("event refused: generation" in tree.log_text(), "the log has it")
    check(wait_until(lambda: [e for e in heard() if e[0] == "refused"], 10), "a program was told")
    event = [e for e in heard() if e[0] == "refused"][-1]
    check(event[1] == event[3] and event[2] == "refused" and "known answers" in event[4], f"with the reason: {event}")
    check(event[5] != "0", "and is not root")
    check(generation() == before, "nothing has changed")
    os.remove(f"{tree.mirror}/signatures/false.ndb")

    module("-DSLOW=0.2")
    done = tree.update()
    check(done.returncode == 3 and "it is too slow" in said(done), f"a slow module: {said(done)[-200:]}")
    check(generation() == before, "nothing has changed")
    os.remove(MODULE)
    tree.signature("Test.Fine", "a text that nobody writes")
    check(tree.update().returncode == 0 and generation() != before, "a good one is taken")
    check(wait_until(lambda: [e for e in heard() if e[0] == "engine" and e[1] == f"generation {generation()}"], 10),
          "and a program is told")


def scan(path, times=1):
    for _ in range(times):
        tree.command("esets_cli", path)


def left(what, provoke, *options):
    """A module that misbehaves only with some objects passes the canary, and is left when they come."""
    before = generation()
    module(*options)
    done = tree.update()
    check(done.returncode == 0 and generation() != before, f"{what}: it is taken at first: {said(done)[-100:]}")
    bad = generation()
    check(wait_until(lambda: provoke() or generation() == before, 120, 0.2), f"{what}: the one before comes back")
    status = tree.status()
    check(f"generation {bad} is left for generation {before}" in status["LastRefusal"], status["LastRefusal"])
    check(f"BadGeneration.{bad}" in status, "it is known as bad")
    done = tree.update()
    text = said(done)
    check(generation() == before and re.search("went back|gone back|left before", text) is not None,
          f"the next update does not bring it again: {text[-250:]}")
    os.remove(MODULE)
    check(tree.update().returncode == 0, "without the module updates go on")


def watched():
    print("left after the swap")
    trap, blind = put("trap", "text ESETS-TEST-TRAP text\n"), put("blind", "text ESETS-TEST-BLIND text\n")
    left("crashes", lambda: scan(trap))
    # What is usual: nearly everything is scanned.
    scan(blind, 60)
    left("not scanned", lambda: scan(blind, 10), "-DBLIND")
    check("scans beside it now, to compare" in tree.log_text(), "both generations were compared with the same objects")


try:
    tree.start()
    refused()
    watched()
finally:
    tree.remove()
finish()
