"""esets_publish: a repository from nothing, served by esets_mird, read by tuf_client; modules, keys that sign together,
keys elsewhere, new keys, and what kill -9 leaves."""

import atexit
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

from harness import REPOSITORY, Tree, check, finish, wait_until

PORT = 2231
CLIENT = os.path.join(os.environ.get("ESETS_BUILD", f"{REPOSITORY}/.build/release"), "tuf_client")
tree = Tree()
srv = f"{tree.root}/srv"
source, repository = f"{srv}/source", f"{srv}/updates"
shutil.copytree(tree.mirror, source)
url = f"http://127.0.0.1:{PORT}"


def publish(*arguments, **more):
    return tree.command("esets_publish", *arguments, **more)


def report(*arguments):
    done = publish("--json", *arguments)
    return json.loads(done.stdout) if done.stdout else {"error": done.stderr.decode()}


def write(path, content, below=source):
    os.makedirs(os.path.dirname(f"{below}/{path}"), exist_ok=True)
    with open(f"{below}/{path}", "wb") as file:
        file.write(content)
    return content


def client(name, *arguments):
    return subprocess.run(
        [CLIENT, f"--metadata-dir={srv}/{name}", f"--metadata-url={url}/metadata", f"--target-base-url={url}/targets",
         f"--target-dir={srv}/{name}-targets", *arguments], capture_output=True, timeout=60,
        env={**os.environ, "LD_LIBRARY_PATH": f"{tree.root}/opt/eset/esets/lib"})


def new_client(name, root=f"{repository}/root.json"):
    done = client(name, "init", root)
    assert done.returncode == 0, done.stderr.decode()


def download(name, path):
    """The target's content as a client gets it, or None."""
    done = client(name, f"--target-name={path}", "download")
    if done.returncode != 0:
        return None
    with open(f"{srv}/{name}-targets/{path.replace('/', '%2F')}", "rb") as file:
        return file.read()


def good():
    return publish("check", repository).returncode == 0


def soon(condition):
    """esets_mird looks at each file once a second."""
    return wait_until(condition, 30, step=0.5)


# From nothing to a repository that is served

first = report("create", repository, f"--sources={source}")
check(first.get("waiting") == [] and os.path.exists(first["root"]), "one command makes a repository")
check(good(), "it is good")
targets = {target["path"]: target for target in report("list", repository)["targets"]}
module = targets.get("modules/em003_64.dat", {})
check(module.get("role") == "targets" and module["custom"]["kind"] == "module" and module["custom"]["module"] == "em003"
      and module["custom"]["id"].startswith("em003.") and module["custom"]["version"],
      "modules are listed by the top-level role, with what they say of themselves")
check(targets["signatures/base.ndb"]["role"] == "lists", "signatures are listed by the online role")

write("publisher.cfg", b"[global]\nav_mirror_dir = \"%s/public\"\n[mird]\nlisten_addr = \"127.0.0.1\"\nlisten_port = %d\n"
      % (repository.encode(), PORT), below=srv)
subprocess.run(["chmod", "-R", "a+rX", srv], check=True)
server = subprocess.Popen([f"{tree.sbin}/esets_mird", f"--root={tree.root}", "--foreground", f"--cfg={srv}/publisher.cfg"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
atexit.register(server.kill)
check(wait_until(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", f"{url}/metadata/timestamp.json"]).returncode == 0, 60),
      "esets_mird serves it")
new_client("client")
check(client("client", "refresh").returncode == 0, "a client accepts it")
with open(f"{source}/modules/em003_64.dat", "rb") as file:
    check(download("client", "modules/em003_64.dat") == file.read(), "and gets a module, byte for byte")

# Modules that clients would refuse

build = os.environ.get("ESETS_BUILD", f"{REPOSITORY}/.build/release")
for what, path, name, reason in [
        ("a module that nobody signed", f"{build}/libem003.so", "em003_64.dat", b"signed"),
        ("a module under another name", f"{source}/modules/em003_64.dat", "em004_64.dat", b"name"),
        ("what is no module", f"{source}/signatures/base.ndb", "em009_64.dat", b"elf")]:
    done = publish("add", repository, path, "--kind=module", f"--as=modules/{name}")
    check(done.returncode == 1 and reason in done.stderr.lower(), f"{what} is refused: {done.stderr.decode().strip()}")
check(tree.update("--no-fetch").returncode == 0 or tree.update().returncode == 0, "modules are compiled")
done = publish("add", repository, f"{tree.base}/em002_64.dat", "--kind=module")
check(done.returncode == 1 and b"data module" in done.stderr, "a data module is refused")
done = publish("add", repository, f"{source}/modules/em003_64.dat", "--kind=module", "--role=lists")
check(done.returncode == 1 and b"may not bring" in done.stderr, "a delegated role cannot bring a module")
done = publish("delegate", repository, "acme", "--paths=modules/*", "--kinds=module")
check(done.returncode == 1 and b"top-level" in done.stderr, "and cannot be trusted with any")
check(good() and set(targets) == {target["path"] for target in report("list", repository)["targets"]},
      "nothing of that is left")

# Changes and deltas

lines = b"".join(b"Test.%d:0:*:%032x\n" % (index, index * index * 7919) for index in range(5000))
write("signatures/big.ndb", lines)
check(report("sync", repository, f"--sources={source}")["added"] == ["signatures/big.ndb"], "a new file is added")
big = write("signatures/big.ndb", lines + b"New:0:*:41424344\n")
check(report("sync", repository, f"--sources={source}")["added"] == ["signatures/big.ndb"], "a changed one is replaced")
deltas = [target for target in report("list", repository)["targets"] if target["path"].startswith("deltas/")]
nothing = f"deltas/{hashlib.sha256(b'').hexdigest()}-"
whole = [target for target in deltas if target["path"].startswith(nothing)]
check(len(deltas) == len(whole) + 1 and min(target["length"] for target in deltas) < len(big) / 20, "with a delta")
check(len(whole) >= 1, "and compressed")
check(soon(lambda: download("client", "signatures/big.ndb") == big), "a client gets the new one")
check(report("sync", repository, f"--sources={source}")["published"] == [], "nothing new: nothing is published")

# Keys elsewhere

stick = f"{srv}/stick"
os.mkdir(stick)
for name in os.listdir(f"{repository}/keys"):
    if name.startswith(("root-", "targets-")):
        os.rename(f"{repository}/keys/{name}", f"{stick}/{name}")
both = [f"--keys={stick}", f"--keys={repository}/keys"]
check(publish("refresh", repository).returncode == 0, "the online keys are enough for a refresh")
component = write("pcu/component.exe", os.urandom(5000))
done = publish("sync", repository, f"--sources={source}")
check(done.returncode == 3 and b"targets: signed by 0 of 1" in done.stdout, "what needs the offline key waits")
check(download("client", "pcu/component.exe") is None, "clients see the old state")
check(publish("sign", repository, *both).returncode == 0, "with the key it is published")
check(soon(lambda: download("client", "pcu/component.exe") == component), "and clients see it")

# New keys

for role, key_type in [("timestamp", "ecdsa"), ("snapshot", "rsa"), ("lists", "ecdsa"), ("targets", "rsa"),
                       ("root", "ecdsa"), ("root", "ed25519")]:
    # The new key goes to the first place.
    places = both if role in ["root", "targets"] else both[::-1]
    done = publish("rotate-key", repository, role, f"--key-type={key_type}", *places)
    check(done.returncode == 0 and soon(lambda: client("client", "refresh").returncode == 0),
          f"clients follow a new {key_type} key of {role}")
new_client("late", f"{repository}/public/metadata/1.root.json")
check(download("late", "signatures/big.ndb") == big, "also one that was away since the first root")

# Several people, and passphrases

team = f"{srv}/team"
secret = dict(os.environ, ESETS_PUBLISH_PASSPHRASE="correct horse battery staple")
done = publish("create", team, f"--sources={source}", "--root-keys=3", "--root-threshold=2", "--targets-keys=2",
               "--targets-threshold=2", "--encrypt", "--bins=16", env=secret)
check(done.returncode == 0, "a repository of several people is made")
roots = sorted(name for name in os.listdir(f"{team}/keys") if name.startswith("root-") and name.endswith(".pem"))
with open(f"{team}/keys/{roots[0]}") as file:
    check("ENCRYPTED" in file.read(), "its offline keys are encrypted")
people = []
for index, name in enumerate(roots):
    place = f"{srv}/person{index}"
    os.mkdir(place)
    people.append(f"--keys={place}")
    for ending in [".pem", ".pub"]:
        shutil.move(f"{team}/keys/{name[:-4]}{ending}", place)
done = publish("rotate-key", team, "timestamp", f"--keys={team}/keys")
check(done.returncode == 3, "a new key waits for signatures")
check(publish("sign", team, people[0], stdin=subprocess.DEVNULL).returncode == 1, "without the passphrase there is none")
check(b"root: signed by 1 of 2" in publish("sign", team, people[0], env=secret).stdout, "one of two has signed")
done = publish("sign", team, people[2], f"--keys={team}/keys", env=secret)
check(done.returncode == 0 and publish("check", team).returncode == 0, "the second one makes it complete")

# kill -9 at any moment

chance = random.Random(20261121)


def take_turn(number):
    for index in range(3):
        write(f"signatures/turn{index}.ndb", b"Turn.%d:0:*:%032x\n" % (number, chance.getrandbits(120)) * 300)


for number in (100, 101):
    take_turn(number)
    publish("sync", repository, f"--sources={source}")
take_turn(102)
started = time.monotonic()
publish("sync", repository, f"--sources={source}")
# How long a run takes differs from machine to machine and from minute to
# minute: the moments to kill reach further when runs come to nothing, and
# less far when they end by themselves.
reach = 1.5 * (time.monotonic() - started)
killed, published, problems = 0, 0, []


def lists_version():
    return {role["name"]: role["version"] for role in report("check", repository)["roles"]}["lists"]


version = lists_version()
for turn in range(200):
    take_turn(turn)
    process = subprocess.Popen([f"{tree.sbin}/esets_publish", "sync", repository, f"--sources={source}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0, reach))
    process.send_signal(signal.SIGKILL)
    if process.wait() == -signal.SIGKILL:
        killed += 1
        reach *= 1.1
    else:
        reach /= 1.3
    if not soon(lambda: client("client", "refresh").returncode == 0):
        problems.append(f"turn {turn}: the client refuses")
    if turn % 10 == 0 and not good():
        problems.append(f"turn {turn}: not good")
    published += lists_version() > version
    version = lists_version()
    if turn >= 40 and killed >= 30 and published >= 5:
        break
check(published >= 5 and killed >= 30, f"of the runs {published} had published, {killed} were killed")
check(not problems, f"killed at any moment, clients always see a whole state {problems}")
done = publish("sync", repository, f"--sources={source}")
check(done.returncode == 0 and good(), f"and the next run finishes what was begun {done.stdout[-300:]} {done.stderr}")
with open(f"{source}/signatures/turn2.ndb", "rb") as file:
    last = file.read()
check(soon(lambda: download("client", "signatures/turn2.ndb") == last), "clients get the last state")
removed = report("prune", repository, "--keep=1")
check(removed["files"] > 20 and good(), "pruning removes what is old")
leftovers = [name for _, _, names in os.walk(f"{repository}/public") for name in names if name.startswith(".") or ".new." in name]
check(not leftovers, f"and what was left {leftovers}")

server.terminate()
server.wait()
tree.remove()
finish()
