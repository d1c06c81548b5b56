"""Programs that know clamd, unchanged, with esets_clamd in its place: clamsmtp, Exim, rspamd, amavisd-new, clamav-milter,
MIMEDefang. Each gets a clean message and an infected one."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import urllib.request

import clamd
from harness import EICAR, REPOSITORY, Client, Sink, attachment, check, deliver, finish, message, wait_until
from postfix import Postfix

CLEAN = message(b"Nothing to see.\r\n")
INFECTED = attachment(EICAR, "eicar.com")
NEXT = 2500
home = tempfile.mkdtemp(prefix="esets-clients-")
os.chmod(home, 0o755)
# What shows which program's packages are missing: nothing is skipped in silence.
PROGRAMS = {
    "clamsmtp": "/usr/sbin/clamsmtpd", "rspamd": "/usr/bin/rspamd", "amavisd-new": "/usr/sbin/amavisd",
    "clamav-milter": "/usr/sbin/clamav-milter", "mimedefang": "/usr/bin/mimedefang",
}


def folder(name, user=None, mode=0o755):
    path = f"{home}/{name}"
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    if user:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)
    return path


def write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


class Server:
    """A program in the foreground with its output in a file."""

    def __init__(self, name, *command, **more):
        self.output = f"{home}/{name}.out"
        with open(self.output, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **more)

    def text(self):
        with open(self.output, errors="replace") as source:
            return source.read()

    def ready(self, condition, seconds=30):
        good = wait_until(condition, seconds)
        if not good:
            print(self.text()[-3000:])
        return check(good, "it has started")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run_as(user):
    """Lets the agent run as another user, which owns what is scanned by path."""
    tree.set("clamd", f'run_as_user = "{user}"')
    subprocess.run(["chown", "-R", user, f"{tree.cache}/spool"], check=True)
    old = tree.processes("esets_clamd")
    done = tree.command("esets_daemon", "--reload")
    check(done.returncode == 0, f"the agent may run as {user} {done.stderr.decode()}")
    wait_until(lambda: tree.processes("esets_clamd") and not set(old) & set(tree.processes("esets_clamd")), 20)
    wait_until(lambda: clamd.pongs(tree.clamd), 10)


def answers(port):
    try:
        client = Client(port, timeout=5)
        good = client.reply()[0] == 220
        client.close()
        return good
    except (OSError, ValueError):
        return False


def clamsmtp():
    place = folder("clamsmtp", "clamsmtp")
    conf = write(
        f"{place}/clamsmtpd.conf",
        f"OutAddress: 127.0.0.1:{NEXT}\nListen: 127.0.0.1:10026\nClamAddress: {tree.clamd}\nHeader: X-AV-Checked: yes\n"
        f"TempDirectory: {place}\nPidFile: {place}/pid\nUser: clamsmtp\nAction: drop\nQuarantine: off\n")
    # It hands over paths, so the scanner must be able to read its files: the recipe gives both one user.
    os.chmod(place, 0o755)
    server = Server("clamsmtp", PROGRAMS["clamsmtp"], "-d", "3", "-f", conf)
    try:
        server.ready(lambda: answers(10026))
        sink.clear()
        check(deliver(10026, CLEAN)[0] == 250 and len(sink.messages) == 1, "clean mail passes")
        check(b"X-AV-Checked: yes" in sink.messages[-1][2], "and is marked")
        check(deliver(10026, INFECTED)[0] == 250 and len(sink.messages) == 1, "infected mail is dropped")
        check(wait_until(lambda: "eicar" in server.text().lower(), 5), "the name of the threat is in its log")
    finally:
        server.stop()


EXIM = """
keep_environment =
primary_hostname = mx.example.org
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {place}/spool
log_file_path = {place}/%slog
daemon_smtp_ports = 2581
local_interfaces = 127.0.0.1
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
av_scanner = clamd:{scanner}
acl_smtp_rcpt = accept
acl_smtp_data = check_content
begin acl
check_content:
  deny malware = *
       message = This message contains a virus ($malware_name)
  accept
begin routers
sink:
  driver = manualroute
  route_list = * 127.0.0.1::{next} byname
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  allow_localhost
  hosts_try_fastopen =
begin retry
* * F,1h,1s
"""


def exim():
    packages = os.environ.get("ESETS_EXIM", f"{REPOSITORY}/.build/packages/exim4")
    if not check(os.path.exists(f"{packages}/usr/sbin/exim4"), f"exim4 lies in {packages} (tools/packages test)"):
        return
    # It conflicts with Postfix as a package, so it lies in a directory of its own, and is put over /usr here only.
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={packages}/usr:/usr", "/usr"], check=True)
    add_user("Debian-exim", 21001)
    # Over TCP Exim sends streams; with a path to a socket, or ":local", it sends the path of its copy.
    run_as("Debian-exim")
    for name, scanner in (
            ("streams", "127.0.0.1 3310"), ("paths", tree.clamd), ("paths over TCP", "127.0.0.1 3310:local")):
        place = folder(f"exim-{len(name)}", "Debian-exim")
        folder(f"exim-{len(name)}/spool", "Debian-exim")
        conf = write(f"{home}/exim-{len(name)}.conf", EXIM.format(place=place, scanner=scanner, next=NEXT))
        server = Server(f"exim-{len(name)}", "/usr/sbin/exim4", "-C", conf, "-bdf", "-q1m")
        try:
            server.ready(lambda: answers(2581))
            sink.clear()
            reply = deliver(2581, CLEAN)
            check(reply[0] == 250, f"{name}: clean mail is accepted: {reply}")
            check(wait_until(lambda: len(sink.messages) == 1, 10), f"{name}: and delivered")
            reply = deliver(2581, INFECTED)
            check(
                reply[0] == 550 and b"virus" in reply[1] and b"icar" in reply[1],
                f"{name}: infected mail is refused: {reply}")
        finally:
            server.stop()


def add_user(name, number):
    """A user in this mount namespace only."""
    try:
        pwd.getpwnam(name)
        return
    except KeyError:
        pass
    for file, line in (("passwd", f"{name}:x:{number}:{number}::/:/bin/false"), ("group", f"{name}:x:{number}:")):
        copy = f"{home}/{file}"
        shutil.copy(f"/etc/{file}", copy)
        with open(copy, "a") as out:
            out.write(line + "\n")
        subprocess.run(["mount", "--bind", copy, f"/etc/{file}"], check=True)


def rspamd():
    place = folder("rspamd", "_rspamd", 0o750)
    # Only what is tested: the module.
    conf = write(
        f"{place}/rspamd.conf", f"""
options {{
  pidfile = "{place}/rspamd.pid"
  dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }}
  filters = ""
  control_socket = "{place}/control.sock mode=0600"
  hs_cache_dir = "{place}"
  cores_dir = "{place}"
}}
logging {{ type = "console"; level = "info"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "127.0.0.1:11333"; count = 1; task_timeout = 20s; }}
modules {{ path = "/usr/share/rspamd/plugins/antivirus.lua"; }}
antivirus {{
  esets {{
    type = "clamav";
    servers = "{tree.clamd}";
    symbol = "ESETS_VIRUS";
    action = "reject";
    scan_mime_parts = true;
    log_clean = true;
    whitelist = "/dev/null";
  }}
}}
""")
    server = Server(
        "rspamd", PROGRAMS["rspamd"], "-f", "-c", conf, "-u", "_rspamd", "-g", "_rspamd",
        env={**os.environ, "DBDIR": place, "RUNDIR": place, "LOGDIR": place})

    def scan(content):
        request = urllib.request.Request("http://127.0.0.1:11333/checkv2", data=content)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ping():
        try:
            with urllib.request.urlopen("http://127.0.0.1:11333/ping", timeout=2) as answer:
                return answer.read().startswith(b"pong")
        except OSError:
            return False
    try:
        if not server.ready(ping):
            return
        answer = scan(CLEAN)
        check("ESETS_VIRUS" not in answer["symbols"], f"clean mail has no symbol: {answer['symbols'].keys()}")
        answer = scan(INFECTED)
        options = answer["symbols"].get("ESETS_VIRUS", {}).get("options", [])
        check(any("icar" in option for option in options), f"infected mail has it: {answer['symbols'].keys()} {options}")
        check(answer["action"] == "reject", f"and is rejected: {answer['action']}")
    finally:
        server.stop()


AMAVIS = """use strict;
$max_servers = 1; $daemon_user = 'amavis'; $daemon_group = 'amavis';
$MYHOME = '{place}'; $TEMPBASE = "$MYHOME/tmp"; $QUARANTINEDIR = undef; $pid_file = "$MYHOME/pid";
$lock_file = "$MYHOME/lock"; $db_home = "$MYHOME/db"; $enable_db = 0; $enable_zmq = 0;
$mydomain = 'example.org'; $myhostname = 'mx.example.org'; $inet_socket_port = 10024; $inet_socket_bind = '127.0.0.1';
$unix_socketname = undef; @inet_acl = qw(127.0.0.1); $do_syslog = 0; $log_level = 2; $LOGFILE = "$MYHOME/log"; $DO_SYSLOG = 0;
$forward_method = 'smtp:[127.0.0.1]:{next}'; $notify_method = $forward_method;
$final_virus_destiny = D_REJECT; $final_spam_destiny = D_PASS; $final_banned_destiny = D_PASS;
@bypass_spam_checks_maps = (1); @bypass_banned_checks_maps = (1); $virus_admin = undef; $enable_dkim_verification = 0;
@keep_decoded_original_maps = (1); @decoders = (); $sa_local_tests_only = 1;
@av_scanners = (
{scanner}
);
@av_scanners_backup = ();
1;
"""
AMAVIS_SCANNERS = {
    "CONTSCAN": r"""
 ['esets', \&ask_daemon, ["CONTSCAN {{}}\n", "{socket}"], qr/\bOK$/m, qr/\bFOUND$/m, qr/^.*?: (?!Infected Archive)(.*) FOUND$/m ],""",
    "streams": r"""
 ['esets', \&ask_daemon, ["*", "clamd:{socket}"], qr/\bOK$/m, qr/\bFOUND$/m, qr/^.*?: (?!Infected Archive)(.*) FOUND$/m ],""",
}


def amavis():
    # CONTSCAN hands over paths of amavis: [clamd] run_as_user = "amavis" makes them readable.
    run_as("amavis")
    for name, scanner in AMAVIS_SCANNERS.items():
        place = folder(f"amavis-{name}", "amavis", 0o750)
        folder(f"amavis-{name}/tmp", "amavis", 0o750)
        folder(f"amavis-{name}/db", "amavis", 0o750)
        # Its user must not be able to write to the place of its configuration.
        conf = write(
            f"{home}/amavis-{name}.conf", AMAVIS.format(place=place, next=NEXT, scanner=scanner.format(socket=tree.clamd)))
        server = Server(f"amavis-{name}", PROGRAMS["amavisd-new"], "-c", conf, "foreground")
        try:
            if not server.ready(lambda: answers(10024), 40):
                print(open(f"{place}/log").read()[-2000:] if os.path.exists(f"{place}/log") else "")
                continue
            sink.clear()
            reply = deliver(10024, CLEAN)
            check(reply[0] == 250 and len(sink.messages) == 1, f"{name}: clean mail passes: {reply}")
            reply = deliver(10024, INFECTED)
            check(reply[0] in (550, 554) and len(sink.messages) == 1, f"{name}: infected mail is refused: {reply}")
            with open(f"{place}/log", errors="replace") as log:
                text = log.read()
            check("INFECTED" in text and "icar" in text, f"{name}: the name of the threat is in its log")
            check("ERROR" not in text and "av-scanner FAILED" not in text, f"{name}: no scan failed")
        finally:
            server.stop()


def through_postfix(name, milter):
    """A Postfix with a milter: clean mail passes, infected mail is refused at once."""
    server = Postfix(
        content_filter="", extra=[f"smtpd_milters = {milter}", "milter_default_action = tempfail", "milter_connect_timeout = 5s"])
    server.start()
    try:
        check(wait_until(lambda: answers(2580), 20), "Postfix has started")
        sink.clear()
        reply = deliver(2580, CLEAN)
        check(reply[0] == 250, f"clean mail is accepted: {reply}")
        check(wait_until(lambda: len(sink.messages) == 1, 20), "and delivered")
        reply = deliver(2580, INFECTED)
        check(reply[0] in (550, 554), f"infected mail is refused: {reply}")
        check(reply[0] // 100 == 5 or not print(server.log()), "at once")
        return sink.messages[0][2] if sink.messages else b""
    finally:
        server.stop()


def clamav_milter():
    place = folder("clamav-milter", "clamav")
    conf = write(
        f"{place}/clamav-milter.conf",
        f"MilterSocket inet:7357@127.0.0.1\nClamdSocket unix:{tree.clamd}\nForeground yes\nUser clamav\nOnInfected Reject\n"
        f"RejectMsg Infected with %v\nOnFail Defer\nAddHeader Replace\nLogFile {place}/log\nLogInfected Full\n"
        f"TemporaryDirectory {place}\nPidFile {place}/pid\n")
    server = Server("clamav-milter", PROGRAMS["clamav-milter"], "-c", conf)
    try:
        if not server.ready(lambda: reachable(7357)):
            return
        content = through_postfix("clamav-milter", "inet:127.0.0.1:7357")
        check(b"X-Virus-Status: Clean" in content, "clean mail is marked")
        check(b"X-Virus-Scanned:" in content, "with the scanner's name")
    finally:
        server.stop()


def reachable(port):
    import socket
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        return True
    except OSError:
        return False


FILTER = r"""
$Features{'Virus:CLAMD'} = 1;
$ClamdSock = "%s";
$AdminAddress = $DaemonAddress = 'postmaster@example.org';
sub filter_begin {
    my ($entity) = @_;
    my ($code, $category, $action) = message_contains_virus_clamd();
    if ($action eq 'tempfail') { return action_tempfail("no scanner"); }
    if ($category eq 'virus') { return action_bounce("Infected with $VirusName"); }
    md_syslog('info', "scanned: $code $category $action");
}
sub filter { my ($entity, $fname, $ext, $type) = @_; return action_accept(); }
sub filter_end { action_add_header('X-Scanned', 'esets'); }
1;
"""


def mimedefang():
    # It hands over paths of its spool directory, which only its user may read.
    run_as("defang")
    place = folder("mimedefang", "defang", 0o750)
    # The place of the filter is fixed; what is put there counts for this test only.
    rules = write(f"{home}/mimedefang-filter", FILTER % tree.clamd)
    subprocess.run(["mount", "--bind", rules, "/etc/mail/mimedefang-filter"], check=True)
    servers = [
        Server(
            "multiplexor", "/usr/bin/mimedefang-multiplexor", "-D", "-U", "defang", "-s", f"{place}/mx.sock",
            "-z", place, "-m", "1", "-x", "2", "-p", f"{place}/mx.pid"),
    ]
    try:
        if not servers[0].ready(lambda: os.path.exists(f"{place}/mx.sock")):
            return
        servers.append(
            Server(
                "mimedefang", PROGRAMS["mimedefang"], "-D", "-U", "defang", "-m", f"{place}/mx.sock", "-z", place,
                "-p", "inet:7358@127.0.0.1", "-P", f"{place}/pid"))
        if servers[1].ready(lambda: reachable(7358)):
            content = through_postfix("MIMEDefang", "inet:127.0.0.1:7358")
            check(b"X-Scanned: esets" in content, "clean mail is marked")
    finally:
        for server in servers:
            server.stop()


for name, path in PROGRAMS.items():
    check(os.path.exists(path), f"{name} is installed (tools/packages test)")
tree = clamd.tree(("clamd", 'run_as_user = "clamsmtp"'))
sink = None
try:
    subprocess.run(["chown", "-R", "clamsmtp", f"{tree.cache}/spool"], check=True)
    clamd.start(tree)
    sink = Sink(NEXT)
    wanted = os.environ.get("ESETS_TEST_ONLY", "").split()
    for step in (clamsmtp, exim, rspamd, clamav_milter, amavis, mimedefang):
        if wanted and step.__name__ not in wanted:
            continue
        begin = time.monotonic()
        print(step.__name__)
        step()
        print(f"        {time.monotonic() - begin:.1f} s")
    check("unexpectedly" not in tree.log_text(), "no agent ended")
finally:
    if sink:
        sink.close()
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root, home)
        tree.stop()
    else:
        tree.remove()
        shutil.rmtree(home, ignore_errors=True)
finish()
