"""The pages for operators, followed literally: an update server, a mirror that takes from it, and a system that updates from
the mirror. Every command and every file on docs/update-server.md, docs/mirror.md and docs/updates.md is used as printed."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from harness import REPOSITORY, Tree, check, finish, wait_until
from pages import Page, run_crontab, run_unit
from updates import UpdateServer, body_signatures

work = tempfile.mkdtemp(prefix="esets-operators-")
os.chmod(work, 0o755)
ETC = "/etc/opt/eset/esets"
SBIN = "/opt/eset/esets/sbin"
PRIVATE = ["/etc", "/srv", "/media", "/home", "/run", "/var/log", "/var/opt", "/opt/eset", "/var/lib/prometheus"]
servers = []
# Folders that the machine did not have.
made = []


def private(path, copied=False):
    """A folder of this test alone over one of the machine's."""
    own = f"{work}/own{path}"
    if copied:
        shutil.copytree(path, own, symlinks=True)
    else:
        os.makedirs(own)
    if not os.path.isdir(path):
        os.makedirs(path)
        made.append(path)
    subprocess.run(["mount", "--bind", own, path], check=True)


def shell(command, user="root", cwd="/", expect=0, **more):
    """Runs a command of a page."""
    done = subprocess.run(["/usr/sbin/runuser", "-u", user, "--", "/bin/sh", "-c", command], capture_output=True, timeout=300, cwd=cwd,
                          stdin=subprocess.DEVNULL, **more)
    check(expect is None or done.returncode == expect,
          f"{user}: {command}{'' if done.returncode == expect else f' ends with {done.returncode}: {(done.stdout + done.stderr).decode()}'}")
    return done


def as_publisher(command, **more):
    return shell(command, user="publisher", **more)


def follow(lines):
    """Sets what a block of esets.cfg says."""
    section = None
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            shell(f"{SBIN}/esets_set --section='{section}' --set='{line}'")


def serves(url):
    return wait_until(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", url]).returncode == 0, 60)


def start(*command):
    servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    return servers[-1]


def end(server):
    server.send_signal(signal.SIGTERM)
    server.wait(20)


def finds(text):
    with open(f"{work}/object", "wb") as out:
        out.write(b"some text before, " + text + b" and after.\n")
    return subprocess.run([f"{SBIN}/esets_scan", "--clean-mode=none", f"{work}/object"], capture_output=True).returncode == 50


def publish_signatures(seed):
    content, marker = body_signatures(1500, seed)
    with open("/srv/source/signatures/own.ndb", "wb") as out:
        out.write(content)
    return marker


def nginx(configuration):
    with open(f"{work}/nginx.conf", "w") as file:
        file.write(f"user root; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.err;\nevents {{}}\n"
                   f"http {{\naccess_log off;\n{configuration}\n}}\n")
    return start("/usr/sbin/nginx", "-c", f"{work}/nginx.conf")


# ---------------------------------------------------------------- an update server

def update_server():
    page = Page("update-server.md")
    for line in page.block("/srv/source/modules/"):
        os.makedirs(os.path.dirname(line.split()[0]), exist_ok=True)
    marker = publish_signatures(1)
    with open("/srv/source/antispam/10-own.rules", "w") as out:
        out.write('rule OWN_RULE\n    describe "There is no Date field"\n    points 1\n    when header Date absent\n')
    os.makedirs("/srv/source/pcu", exist_ok=True)
    shutil.copy(f"{REPOSITORY}/.build/release/libem003.so", "/srv/source/modules/em003_64.dat")
    # From the text: the publisher's own key for modules.
    shell(f"cd {work} && esets_mod --key=publisher.key keygen && esets_mod --key=publisher.key sign /srv/source/modules/*")
    shutil.copy(f"{work}/publisher.key.pub", f"{ETC}/certs/modules/")

    shell(page.command("useradd"))
    shell(page.command("install -d"))
    as_publisher(page.command("esets_publish create"))
    page.install("/etc/cron.d/esets-publish")
    run_crontab("/etc/cron.d/esets-publish")
    page.install("/etc/systemd/system/esets-publish.service")
    page.install("/etc/systemd/system/esets-publish.timer")
    run_unit("/etc/systemd/system/esets-publish.service", "/etc/systemd/system/esets-publish.timer")

    # Served by nginx, by a copy on another machine, and by esets_mird: the client needs nothing new.
    server = nginx("\n".join(page.block("server {")))
    check(serves("http://updates.example.com:2221/metadata/timestamp.json"), "nginx serves it")
    shell(page.command("install -D"), cwd="/srv/updates")
    shell(page.command("esets_set"))
    shell(page.command("esets_update"))
    check(finds(marker), "a client finds what was published")
    fields = subprocess.run(["curl", "-sI", "http://updates.example.com:2221/metadata/1.root.json"], capture_output=True).stdout
    check(b"immutable" in fields, "what never changes may be cached for ever")
    end(server)

    marker = publish_signatures(2)
    run_crontab("/etc/cron.d/esets-publish")
    for command in (page.command("rsync"), page.command("rsync")):
        os.makedirs("/srv/www/esets", exist_ok=True)
        shell(command, cwd="/srv/updates", env=dict(os.environ, RSYNC_RSH=f"{work}/here"))
    server = UpdateServer("/srv/www/esets", port=2221)
    shell("esets_update")
    check(finds(marker), "the copy on a web server serves as well")
    server.close()

    os.makedirs(ETC, exist_ok=True)
    page.install(f"{ETC}/publisher.cfg")
    marker = publish_signatures(3)
    run_crontab("/etc/cron.d/esets-publish")
    server = start("/bin/sh", "-c", f"exec {page.command('esets_mird')}")
    check(serves("http://updates.example.com:2221/metadata/timestamp.json"), "esets_mird serves it")
    shell("esets_update")
    check(finds(marker), "and a client finds what was published last")

    # Keys.
    os.makedirs("/media/stick")
    shutil.chown("/media/stick", "publisher")
    shell(page.command("mv /srv/updates/keys"))
    with open("/srv/source/modules/em004_64.dat", "wb") as out, open(f"{REPOSITORY}/.build/release/libem004.so", "rb") as module:
        out.write(module.read())
    shell(f"cd {work} && esets_mod --key=publisher.key sign /srv/source/modules/em004_64.dat")
    as_publisher("esets_publish sync /srv/updates --sources=/srv/source", expect=3)
    as_publisher(page.command("esets_publish sign"))
    as_publisher(page.command("esets_publish sync"))
    as_publisher(page.command("esets_publish rotate-key"))
    as_publisher(page.command("esets_publish rotate-key"))
    # A changed file is served after a second at the latest.
    shell("sleep 1.5; esets_update")
    secret = dict(os.environ, ESETS_PUBLISH_PASSPHRASE="correct horse battery staple")
    several = page.command("esets_publish create").replace("/srv/updates", "/srv/updates2")
    shell("install -d -o publisher /srv/updates2")
    as_publisher(several, env=secret)
    names = os.listdir("/srv/updates2/keys")
    check(len([name for name in names if re.match(r"root-.*\.pem$", name)]) == 3, "three people have keys of root")

    # Others.
    os.makedirs("/home/acme/keys")
    shutil.chown("/home/acme/keys", "publisher")
    as_publisher(page.command("openssl genpkey"), cwd="/home/acme/keys")
    as_publisher(page.command("openssl pkey"), cwd="/home/acme/keys")
    as_publisher(page.command("esets_publish delegate"), cwd="/home/acme/keys", expect=3)
    content, marker = body_signatures(20, 33)
    with open("/home/acme/acme.ndb", "wb") as out:
        out.write(content)
    as_publisher(page.command("esets_publish add"), cwd="/home/acme", expect=3)
    as_publisher(page.command("esets_publish sign /srv/updates acme"), expect=3)
    as_publisher(page.command("esets_publish sign"))
    shell("sleep 1.5; esets_update")
    check(finds(marker), "a client finds what somebody else was trusted with")

    # Watching.
    as_publisher(page.command("esets_publish check /srv/updates"))
    done = as_publisher(page.command("esets_publish check --json"))
    check(json.loads(done.stdout)["good"], "the repository is good, as JSON says too")
    os.makedirs("/var/lib/prometheus/node-exporter", exist_ok=True)
    shell(page.command("esets_publish check --prometheus"))
    with open("/var/lib/prometheus/node-exporter/esets.prom") as file:
        metrics = file.read()
    for line in page.block("esets_repository_expires_seconds"):
        name = re.match(r"\w+", line).group(0)
        check(re.search(rf"^{name}\b", metrics, re.M), f"the metric {name} is there")
    check(not page.rest(), f"nothing on the page is left: {page.rest()}")
    end(server)


# ---------------------------------------------------------------- a mirror

def mirror():
    page = Page("mirror.md")
    follow(page.block("[global]") + page.block("[mird]"))
    marker = publish_signatures(4)
    run_crontab("/etc/cron.d/esets-publish")
    shell(page.command("esets_update"))
    shell(page.command("esets_daemon --reload"))
    url = "http://192.168.1.10:2221"
    check(serves(f"{url}/metadata/timestamp.json"), "the mirror serves")
    shell(page.command("curl -I"))
    client = Tree()
    shutil.copy(f"{work}/publisher.key.pub", f"{client.etc}/certs/modules/")
    os.makedirs(f"{client.etc}/certs/update", exist_ok=True)
    shutil.copy("/srv/updates/root.json", f"{client.etc}/certs/update/root.json")
    for line in page.block("[global]")[1:]:
        client.set("global", line)
    client.start()

    def client_finds(text):
        path = f"{work}/object"
        with open(path, "wb") as out:
            out.write(b"before " + text + b" after\n")
        return client.command("esets_scan", "--clean-mode=none", path).returncode == 50

    check(client_finds(marker), "a client of the mirror finds what was published")

    # HTTPS.
    shell(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=192.168.1.10 -addext subjectAltName=IP:192.168.1.10 "
          f"-keyout {ETC}/certs/mird.key -out {ETC}/certs/mird.pem")
    follow(page.block("[mird]"))
    shell(page.command("chown esets"))
    shell(page.command("chmod 400"))
    shell(page.command("esets_daemon --reload"))
    check(wait_until(lambda: subprocess.run(
        ["curl", "-sf", "--cacert", f"{ETC}/certs/mird.pem", "-o", "/dev/null", "https://192.168.1.10:2221/metadata/timestamp.json"]
    ).returncode == 0, 60), "the mirror serves over HTTPS")
    follow(["[mird]", "tls_cert_file", "tls_key_file"])

    # A password.
    follow(page.block("[mird]"))
    shell("esets_daemon --reload")
    check(wait_until(lambda: client.update().returncode == 2, 60), "without the password there is nothing")
    client.set("global", 'av_update_username = "clients"')
    client.set("global", 'av_update_password = "choose one"')
    check(client.update().returncode == 0, "with the password there is")
    follow(["[mird]", "auth_mode", "username", "password"])
    os.makedirs(f"{work}/log")
    shutil.chown(f"{work}/log", "esets")
    follow(["[mird]", f'mird_access_log = "{work}/log/access.log"'])
    shell("esets_daemon --reload")
    check(serves(f"{url}/metrics"), "open again")

    # Keep it fresh.
    page.install("/etc/cron.d/esets-mirror")
    marker = publish_signatures(5)
    run_crontab("/etc/cron.d/esets-publish")
    run_crontab("/etc/cron.d/esets-mirror")
    check(client.update().returncode == 0 and client_finds(marker), "cron keeps the mirror fresh")
    page.install("/etc/systemd/system/esets-mirror.service")
    page.install("/etc/systemd/system/esets-mirror.timer")
    # Its last section stands apart.
    with open("/etc/systemd/system/esets-mirror.timer", "a") as file:
        file.write("\n".join(page.block("[Install]")) + "\n")
    run_unit("/etc/systemd/system/esets-mirror.service", "/etc/systemd/system/esets-mirror.timer")

    # Watch it.
    shell("esets_mird --status")
    json.loads(shell("esets_mird --status --json").stdout)
    shell("esets_mird --status --prometheus")
    metrics = subprocess.run(["curl", "-s", f"{url}/metrics"], capture_output=True).stdout.decode()
    page.block("scrape_configs:")
    with open(f"{REPOSITORY}/docs/mirror.md") as file:
        alarms = set(re.findall(r"esets_mir\w+_(?:seconds|total)\b", file.read()))
    for name in sorted(alarms):
        check(re.search(rf"^{name}\b", metrics, re.M), f"the metric {name} is there")
    done = shell(page.command("awk").replace("access.log", f"{work}/log/access.log"))
    check(done.stdout, "the access log says who took what")
    for word in ("requests per client", "bytes per client"):
        page.command(word)

    # nginx in its place.
    follow(["[mird]", "agent_enabled = no"])
    shell("esets_daemon --reload")
    os.makedirs("/etc/nginx/sites-enabled", exist_ok=True)
    shell(page.command("cp etc/nginx-mirror.conf"), cwd=REPOSITORY)
    check(page.command("nginx -t") == "nginx -t && systemctl reload nginx", "nginx is told")
    with open("/etc/nginx/sites-enabled/esets-mirror") as file:
        # The update server of this test has the port on every other address.
        configuration = file.read().replace("listen 2221", "listen 192.168.1.10:2221").replace("    listen [::]:2221;\n", "")
    check(wait_until(lambda: not serves_now(f"{url}/metadata/timestamp.json"), 60), "the agent has ended")
    server = nginx(configuration)
    check(serves(f"{url}/metadata/timestamp.json"), "nginx serves in its place")
    marker = publish_signatures(6)
    run_crontab("/etc/cron.d/esets-publish")
    run_crontab("/etc/cron.d/esets-mirror")
    check(client.update().returncode == 0 and client_finds(marker), "a client updates from it")
    end(server)
    check(not page.rest(), f"nothing on the page is left: {page.rest()}")
    client.remove()


def serves_now(url):
    return subprocess.run(["curl", "-sf", "-o", "/dev/null", url]).returncode == 0


# ---------------------------------------------------------------- updates

def updates():
    page = Page("updates.md")
    shell(page.command("/opt/eset/esets/sbin/esets_update"))
    page.install("/etc/cron.d/esets")
    run_crontab("/etc/cron.d/esets", skip=[("--jitter=1800", "--jitter=1")])
    page.install("/etc/systemd/system/esets-update.service")
    page.install("/etc/systemd/system/esets-update.timer")
    run_unit("/etc/systemd/system/esets-update.service", "/etc/systemd/system/esets-update.timer")

    # Sources of every kind are understood; nobody answers here, and all else stays as it is.
    shutil.copy(f"{ETC}/esets.cfg", f"{work}/esets.cfg")
    shutil.copy("/srv/updates/root.json", f"{ETC}/certs/partner-root.json")
    follow(["[global]"] + page.block("av_update_server"))
    for section in ("clamav", "rfxn", "sa", "urlhaus", "partner"):
        follow(page.block(f"[update:{section}]"))
    done = shell("esets_update --json", expect=1)
    names = {upstream["name"] for upstream in json.loads(done.stdout)["upstreams"]}
    check({"clamav", "rfxn", "sa", "urlhaus", "partner", "repository"} <= names, f"every source is asked: {names}")
    shutil.copy(f"{work}/esets.cfg", f"{ETC}/esets.cfg")
    shell("esets_update")

    # Without a network.
    os.makedirs("/media/stick/mirror", exist_ok=True)
    shell(page.command("rsync"))
    shell(page.command("esets_update --offline"))

    # Going back.
    marker = publish_signatures(7)
    run_crontab("/etc/cron.d/esets-publish")
    shell("esets_update")
    check(finds(marker), "the newest is in use")
    listed = json.loads(shell("esets_update --list --json").stdout)
    shell(page.command("esets_update --list"))
    shell(page.command("esets_update --rollback"))
    check(not finds(marker), "and left again")
    older = sorted(generation["number"] for generation in listed["generations"])
    shell(page.command("esets_update --rollback").replace("41", str(older[0])))

    # Watching.
    shown = "".join(page.block('{"changed"'))
    real = json.loads(shell("esets_update --force --json").stdout)
    for name in re.findall(r'"(\w+)":', shown):
        check(name in real or name in real["upstreams"][0], f"the output has {name}")
    shell("touch -d '4 hours ago' /var/opt/eset/esets/lib/data/data.txt")
    check(b"no update for three hours" in shell(page.command("find")).stdout, "an old attempt is told")
    check(os.access(f"{REPOSITORY}/{page.command('tools/bench update').split()[0]}", os.X_OK), "the benchmark is there")
    check(not page.rest(), f"nothing on the page is left: {page.rest()}")


try:
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    private("/etc", copied=True)
    for path in PRIVATE[1:]:
        private(path)
    subprocess.run(["ip", "address", "add", "192.168.1.10/32", "dev", "lo"], check=True)
    with open("/etc/hosts", "a") as file:
        file.write("127.0.0.1 updates.example.com\n")
    # "rsync web:…" goes to this machine.
    with open(f"{work}/here", "w") as file:
        file.write("#!/bin/sh\nshift\nexec sh -c \"$*\"\n")
    os.chmod(f"{work}/here", 0o755)
    os.environ["PATH"] = f"{SBIN}:{os.environ['PATH']}"
    if subprocess.run(["id", "esets"], capture_output=True).returncode != 0:
        subprocess.run(["useradd", "--system", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "esets"], check=True)
    subprocess.run([f"{REPOSITORY}/tools/install", "/"], check=True)
    shell("esets_daemon")
    update_server()
    # On one address only: the mirror has the same port on another.
    origin = UpdateServer("/srv/updates/public", port=2221)
    mirror()
    updates()
finally:
    subprocess.run([f"{SBIN}/esets_daemon", "--stop"], capture_output=True)
    for process in servers:
        if process.poll() is None:
            process.kill()
    for path in reversed(PRIVATE):
        subprocess.run(["umount", "-l", path], capture_output=True)
    for path in made:
        os.rmdir(path)
    shutil.rmtree(work, ignore_errors=True)
finish()
