"""The fetching process is confined, and what it needs still works: names from the DNS, certificates, proxies, gpgv."""

import base64
import hashlib
import http.server
import os
import pty
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import Tree, check, finish
from updates import UpdateServer, body_signatures

work = tempfile.mkdtemp(prefix="esets-fetching-")
os.chmod(work, 0o755)
lists = f"{work}/lists"
os.makedirs(lists)

# A key of 2020 that was thrown away, and its signature over SIGNED.
KEYRING = base64.b64decode(
    "mDMEXgvhABYJKwYBBAHaRw8BAQdARpm1OkcV5/4ktM1gGxuDH0avDkfZ9Vgr8IQO77CRpuu0F1Rlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYI"
    "ADgWIQSRcx7NPq+HhujovRKlWNxhNa5lrQUCXgvhAAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRClWNxhNa5lrdYgAP9O6h3/GFMIgIuX"
    "tNdZdPpwNuje6IwmPBVfjPPNfUpjPAEAih0/mhwMkBitF2Aygd99O9aF2pFjDT2KUX1iG7UqDwE=")
SIGNATURE = b"""-----BEGIN PGP SIGNATURE-----

iHUEABYIAB0WIQSRcx7NPq+HhujovRKlWNxhNa5lrQUCXgvhAAAKCRClWNxhNa5l
rfPZAQCfsdTP4D80cV5hPNLPkzQNiLHnfsU76fKwy/Q4lTM6dAEA12LbTkoFBcwJ
gkuxrmw0vAtR3cRWPTE548DOK9U8LAk=
=BWRO
-----END PGP SIGNATURE-----
"""
SIGNED = b"Test.One:0:*:6f6e65206f6e65206f6e65\n"


def put(name, content):
    with open(f"{lists}/{name}", "wb") as out:
        out.write(content)


class Names:
    """A DNS server for *.test: addresses, and texts."""

    def __init__(self, texts):
        self.texts = texts
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, address = self.socket.recvfrom(4096)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            kind = struct.unpack(">H", query[at + 1:at + 3])[0]
            name = ".".join(labels).lower()
            self.asked.append(name)
            data = None
            if kind == 1 and name.endswith(".test"):
                data = socket.inet_aton("127.0.0.1")
            elif kind == 16 and name in self.texts:
                data = bytes([len(self.texts[name])]) + self.texts[name].encode()
            answer = b"" if data is None else b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 1, len(data)) + data
            head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0)
            self.socket.sendto(head + query[12:at + 5] + answer, address)


class Proxy:
    """An HTTP proxy that wants a password, for http and by CONNECT."""

    def __init__(self):
        outer = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def is_known(self):
                wanted = "Basic " + base64.b64encode(b"p:q").decode()
                if self.headers.get("Proxy-Authorization") == wanted:
                    outer.seen.append((self.command, self.path))
                    return True
                self.send_response(407)
                self.send_header("Proxy-Authenticate", 'Basic realm="p"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False

            def do_CONNECT(self):
                if not self.is_known():
                    return
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as other:
                    self.send_response(200)
                    self.end_headers()
                    self.close_connection = True
                    both = {self.connection: other, other: self.connection}
                    while True:
                        for ready in select.select(list(both), [], [], 10)[0]:
                            data = ready.recv(65_536)
                            if not data:
                                return
                            both[ready].sendall(data)

            def do_GET(self):
                if not self.is_known():
                    return
                path = urllib.parse.urlsplit(self.path).path.lstrip("/")
                try:
                    with open(f"{lists}/{path}", "rb") as file:
                        content, status = file.read(), 200
                except OSError:
                    content, status = b"", 404
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def catch(tree, word, *arguments):
    """Runs an update; the first confined process with this word that was seen."""
    process = subprocess.Popen(
        [f"{tree.sbin}/esets_update", f"--root={tree.root}", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = None
    while process.poll() is None:
        found = found or confined_child(process.pid, word)
        time.sleep(0.002)
    output = process.communicate()
    return found, process.returncode, output


def confined_child(parent, word):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
            if word not in line:
                continue
            state = status_of(pid)
        except OSError:
            continue
        if state.get("PPid", "").strip() == str(parent) and state.get("Seccomp", "0").strip() == "2":
            return state
    return None


def on_terminal(*command):
    """What a program shows on a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65_536):
            shown += piece
    except OSError:
        pass
    process.wait()
    os.close(master)
    return shown


def update(expect=0):
    done = tree.update("--verbose")
    check(done.returncode == expect, f"esets_update ends with {done.returncode}, wanted {expect}: {done.stderr.decode()}")
    return done.stderr.decode()


def section(name, **settings):
    for key, value in settings.items():
        tree.set(f"update:{name}", f'{key} = "{value}"')


tree = Tree()
server = UpdateServer(lists)
try:
    tree.start()
    put("slow.ndb", body_signatures(30_000, 1)[0])
    section("slow", update_kind="list", update_server=server.base, update_files="slow.ndb", update_checksum="beside")
    with open(f"{lists}/slow.ndb", "rb") as file:
        put("slow.ndb.sha256", hashlib.sha256(file.read()).hexdigest().encode())
    server.delay = 0.005
    state, code, output = catch(tree, b"--fetch", "--verbose")
    check(code == 0, f"an update: {output}")
    check(state is not None, "the fetching process has a filter of system calls")
    state = state or {}
    check(state.get("Uid", "0").split()[0] != "0" and state.get("NoNewPrivs", "").strip() == "1"
          and state.get("CapEff", "").strip("0\t ") == "", "it is not root, has no powers, and can gain none")
    check(b"Landlock" not in output[1] and b"seccomp" not in output[1], "nothing that protects it is missing")
    server.delay = 0
    state, code, output = catch(tree, b"--compile=em002", "--force")
    check(code == 0 and state is not None, f"the compiling process has one, too: {output}")

    print("a terminal")
    # Slow enough to be shown on its way.
    server.delay = 0.02
    put("slow.ndb", body_signatures(30_001, 2)[0])
    with open(f"{lists}/slow.ndb", "rb") as file:
        put("slow.ndb.sha256", hashlib.sha256(file.read()).hexdigest().encode())
    shown = on_terminal(f"{tree.sbin}/esets_update", f"--root={tree.root}")
    steps = re.findall(rb"slow: slow\.ndb ([\d.]+ .?B) of ([\d.]+ .?B) \((\d+) %\)", shown)
    check(len(steps) >= 3 and sorted(int(step[2]) for step in steps) == [int(step[2]) for step in steps],
          f"progress is shown: {shown[:200]}")
    check(shown.rfind(b"\x1b[K") > shown.rfind(b"%"), "and goes when it is over")
    server.delay = 0

    print("names from the DNS")
    with open(f"{work}/resolv.conf", "w") as out:
        out.write("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", f"{work}/resolv.conf", "/etc/resolv.conf"], check=True)
    names = Names({"100.channel.test": "1042"})
    section("named", update_kind="list", update_server=f"http://lists.test:{server.port}", update_files="named.ndb",
            update_checksum="beside")
    put("named.ndb", SIGNED)
    put("named.ndb.sha256", hashlib.sha256(SIGNED).hexdigest().encode())
    update()
    check("lists.test" in names.asked and os.path.exists(f"{tree.mirror}/upstreams/named/named.ndb"),
          f"a server is found by its name: {set(names.asked)}")
    put("1042.tar.gz", b"rules")
    put("1042.tar.gz.sha256", hashlib.sha256(b"rules").hexdigest().encode())
    section("channel", update_kind="spamassassin", update_dns="100.channel.test", update_server=server.base,
            update_checksum="beside")
    text = update()
    check(os.path.exists(f"{tree.mirror}/upstreams/channel/1042.tar.gz"), "a version is read from a text record")
    check("not compiled into em006" in text, f"that rules of a channel are not compiled is told: {text}")

    print("an OpenPGP signature")
    with open(f"{tree.etc}/certs/list.gpg", "wb") as out:
        out.write(KEYRING)
    put("signed.ndb", SIGNED)
    put("signed.ndb.asc", SIGNATURE)
    section("signed", update_kind="list", update_server=server.base, update_files="signed.ndb",
            update_keyring="@ETCDIR@/certs/list.gpg")
    update()
    check(os.path.exists(f"{tree.mirror}/upstreams/signed/signed.ndb"), "gpgv runs, and its word counts")
    put("signed.ndb", SIGNED + b"\n")
    update(expect=1)
    with open(f"{tree.mirror}/upstreams/signed/signed.ndb", "rb") as file:
        check(file.read() == SIGNED, "a file that is not signed is refused")
    put("signed.ndb", SIGNED)

    print("certificates")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=secure.test", "-addext", "subjectAltName=DNS:secure.test", "-keyout", f"{work}/key.pem", "-out",
         f"{work}/cert.pem"], check=True, capture_output=True)
    secure = UpdateServer(lists)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{work}/cert.pem", f"{work}/key.pem")
    secure.server.socket = context.wrap_socket(secure.server.socket, server_side=True)
    put("secure.ndb", SIGNED)
    section("secure", update_kind="list", update_server=f"https://secure.test:{secure.port}", update_files="secure.ndb",
            update_checksum="tls")
    text = update(expect=1)
    check("certificate" in text.lower(), "a certificate by nobody whom the system knows is refused")
    shutil.copy(f"{work}/cert.pem", f"{tree.etc}/certs/ca.pem")
    tree.set("global", 'av_update_ca_file = "@ETCDIR@/certs/ca.pem"')
    update()
    check(os.path.exists(f"{tree.mirror}/upstreams/secure/secure.ndb"), "with its authority it is believed")
    # The same from the system's store.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc/ssl/certs"], check=True)
    shutil.copy(f"{work}/cert.pem", "/etc/ssl/certs/ca-certificates.crt")
    tree.set("global", "av_update_ca_file")
    put("secure.ndb", SIGNED + b"Test.Two:0:*:74776f2074776f2074776f\n")
    update()
    with open(f"{tree.mirror}/upstreams/secure/secure.ndb", "rb") as file:
        check(b"Test.Two" in file.read(), "also when the system's store has the authority")

    print("proxies")
    proxy = Proxy()
    tree.set("global", 'proxy_addr = "proxy.test"')
    tree.set("global", f"proxy_port = {proxy.port}")
    update(expect=2)
    tree.set("global", 'proxy_username = "p"')
    tree.set("global", 'proxy_password = "q"')
    for name in ("named.ndb", "secure.ndb"):
        put(name, SIGNED + b"Test.Three:0:*:7468726565207468726565\n")
    with open(f"{lists}/named.ndb", "rb") as file:
        put("named.ndb.sha256", hashlib.sha256(file.read()).hexdigest().encode())
    update()
    for name in ("named", "secure"):
        with open(f"{tree.mirror}/upstreams/{name}/{name}.ndb", "rb") as file:
            check(b"Test.Three" in file.read(), f"{name}: by the proxy")
    check({"GET", "CONNECT"} <= {method for method, _ in proxy.seen}, f"which was asked: {proxy.seen[:4]}")
finally:
    for path in ("/etc/ssl/certs", "/etc/resolv.conf"):
        subprocess.run(["umount", path], capture_output=True)
    tree.remove()
    server.close()
    shutil.rmtree(work, ignore_errors=True)
finish()
