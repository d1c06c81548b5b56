"""esets_mird: files as curl and any other client get them, hostile requests, limits, HTTPS, a chain, and nginx beside it."""

import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

from harness import REPOSITORY, Tree, check, finish, wait_until

PORT, TLS_PORT, NGINX_PORT = 2221, 2222, 2223
# Not an address of the loopback network: a client that is not of this machine.
OTHER = "198.51.100.7"
URL = f"http://127.0.0.1:{PORT}"
DIGEST = hashlib.sha256(b"target").hexdigest()

subprocess.run(["ip", "address", "add", f"{OTHER}/32", "dev", "lo"], check=True)
tree = Tree(options=[
    ("mird", "agent_enabled = yes"), ("mird", 'listen_addr = "127.0.0.1"'), ("mird", "num_thrd = 2"),
    ("mird", "mird_timeout = 3"), ("mird", "mird_client_connections = 8"), ("mird", "mird_client_requests = 5")])


def put(name, content, age=3_600, mirror=tree.mirror):
    path = f"{mirror}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, (int(time.time()) - age,) * 2)
    return content


timestamp = json.dumps({"signed": {"_type": "timestamp", "version": 7, "expires": "2036-01-01T00:00:00Z"},
                        "signatures": []}).encode()
FILES = {
    "update.ver": b"[HOSTS]\r\nOther=200@http://host/eset_upd/\r\n",
    "v4/update.ver": b"[HOSTS]\r\n",
    "metadata/timestamp.json": timestamp,
    "metadata/7.snapshot.json": json.dumps({"signed": {"meta": {f"{n}.json": "0" * 64 for n in range(200)}}}).encode(),
    f"targets/{DIGEST}.em002_64.dat": os.urandom(3 << 20),
    "empty.dat": b"",
}
for name, content in FILES.items():
    put(name, content)
LARGE = f"targets/{DIGEST}.em002_64.dat"


def curl(*arguments, **more):
    return subprocess.run(["curl", "-sS", "--path-as-is", *arguments], capture_output=True, timeout=120, **more)


def get(path, *arguments, url=URL):
    """Status, fields and content."""
    done = curl("-D", "-", *arguments, f"{url}{path}")
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode(errors="replace").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines[1:] if ": " in line)
    fields = {name.lower(): value for name, value in pairs}
    return (int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0), fields, content


def raw(data, port=PORT, source="127.0.0.1", wait=10):
    """Everything that comes for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), wait, (source, 0)) as client:
        client.sendall(data)
        client.settimeout(wait)
        received = b""
        try:
            while chunk := client.recv(65_536):
                received += chunk
        except (ConnectionError, TimeoutError):
            pass
        return received


def counters():
    return json.loads(curl(f"{URL}/status.json").stdout)["counters"]


def configure(*settings):
    for setting in settings:
        tree.set("mird", setting)
    count = tree.log_text().count("configuration read again")
    tree.command("esets_daemon", "--reload")
    if any("listen_port" in setting for setting in settings):
        # Another address makes another process.
        return True
    return wait_until(lambda: tree.log_text().count("configuration read again") > count, 60)


def agent():
    return tree.processes("esets_mird")


# ---------------------------------------------------------------- what everybody asks for

def files():
    print("files")
    for name, content in FILES.items():
        check(get(f"/{name}")[2] == content, f"/{name} arrives as it is")
    for path in ("/", "/eset_upd/", "/eset_upd", "/eset_upd/update.ver", "/update.ver?x=y"):
        check(get(path)[2] == FILES["update.ver"], f"{path} is update.ver")
    check(get("/eset_upd/v4/")[2] == FILES["v4/update.ver"], "/eset_upd/v4/ is v4/update.ver")
    status, fields, _ = get(f"/{LARGE}", "--head")
    check(status == 200 and fields["content-length"] == str(3 << 20), "HEAD tells the length")
    check("immutable" in fields["cache-control"], "a name with a digest may be kept for ever")
    tag, date = fields["etag"], fields["last-modified"]
    check(get(f"/{LARGE}", "-H", f"If-None-Match: {tag}")[0] == 304, "If-None-Match: 304")
    check(get(f"/{LARGE}", "-H", f"If-Modified-Since: {date}")[0] == 304, "If-Modified-Since: 304")
    status, fields, content = get("/metadata/7.snapshot.json", "--compressed")
    check(fields.get("content-encoding") == "gzip" and content == FILES["metadata/7.snapshot.json"],
          "metadata are compressed for those who ask")
    part = f"{tree.root}/part"
    with open(part, "wb") as file:
        file.write(FILES[LARGE][:1_000_000])
    done = curl("-C", "-", "-o", part, f"{URL}/{LARGE}")
    with open(part, "rb") as file:
        check(done.returncode == 0 and file.read() == FILES[LARGE], "curl goes on with a broken download")
    status, fields, content = get(f"/{LARGE}", "-H", "Range: bytes=5-", "-H", 'If-Range: "other"')
    check(status == 200 and content == FILES[LARGE], "If-Range of another version: the whole file")


def process():
    print("the process")
    pid, = agent()
    with open(f"/proc/{pid}/status") as file:
        status = file.read()
    check(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1) != "0", "it is not root")
    check(re.search(r"^CapEff:\s+0+$", status, re.M) is not None and "NoNewPrivs:\t1" in status, "it can gain nothing")
    os.kill(pid, signal.SIGKILL)
    check(get("/")[2] == FILES["update.ver"], "killed, it is there again, and a client only waits")


# ---------------------------------------------------------------- hostile requests

def hostile():
    print("hostile requests")
    os.symlink("/etc/passwd", f"{tree.mirror}/passwd")
    os.symlink("../../../../../../../../etc", f"{tree.mirror}/etc")
    os.symlink("update.ver", f"{tree.mirror}/inside")
    put(".hidden", b"secret")
    for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/passwd", "/etc/passwd",
                 "/.hidden", "/metadata/../.hidden", "/metadata", "/metadata/", "/update.ver%00.txt", "//..//etc/passwd",
                 "/eset_upd/../../etc/passwd", "/update.ver/", "/%"):
        status, _, content = get(path)
        check(status == 404 and b"root:" not in content and b"secret" not in content, f"{path}: 404")
    check(get("/inside")[2] == FILES["update.ver"], "a link that stays inside is followed")
    size = 3 << 20
    for field, wanted in [
            (f"bytes={size}-", 416), ("bytes=-0", 416), ("bytes=5-2", 200), ("bytes=0-0,2-3", 200), ("bytes=a-b", 200),
            ("bytes=0-18446744073709551616", 206), ("bytes=18446744073709551616-", 416), ("bytes=--5", 200), ("lines=0-5", 200),
            ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 2_000, 2)), 200)]:
        check(get(f"/{LARGE}", "-H", f"Range: {field}", "-o", "/dev/null")[0] == wanted, f"Range: {field[:40]}: {wanted}")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO"):
        reply = raw(f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".encode())
        check(reply.startswith(b"HTTP/1.1 405 ") and reply.count(b"HTTP/1.1") == 1, f"{method}: 405, and its content is no request")
    smuggled = raw(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\nGET /.hidden HTTP/1.1\r\n\r\n   ")
    check(smuggled.count(b"HTTP/1.1 ") <= 1, "content with GET is no second request")
    for name, data in [
            ("a huge field", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"),
            ("many fields", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"),
            ("a huge target", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("no Host", b"GET / HTTP/1.1\r\n\r\n"), ("no request", os.urandom(5_000).replace(b"\n", b"x") + b"\r\n\r\n"),
            ("a greeting of TLS", bytes.fromhex("16030100a5010000a10303") + b"x" * 200 + b"\r\n\r\n")]:
        reply = raw(data)
        check(not reply or reply.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 505")), f"{name}: {reply[:40]}")
    replies = raw(b"GET /update.ver HTTP/1.1\r\nHost: x\r\n\r\n" * 500 + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check(replies.count(b"HTTP/1.1 200 ") == 501, "501 requests at once are answered")
    check(len(agent()) == 1 and get("/")[0] == 200, "it lives")


def slow():
    print("slow clients")
    before = counters()["late"]
    dripping = []
    for _ in range(200):
        client = socket.create_connection(("127.0.0.1", PORT), 10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        dripping.append(client)
    stop = threading.Event()

    def drip():
        while not stop.wait(0.3):
            for client in dripping:
                try:
                    client.sendall(b"a")
                except OSError:
                    pass

    thread = threading.Thread(target=drip)
    thread.start()
    check(get("/")[0] == 200, "others are served meanwhile")
    check(wait_until(lambda: counters()["late"] >= before + 200, 60), "200 clients that drip a byte now and then are cut")
    stop.set()
    thread.join()
    for client in dripping:
        client.close()
    # One that takes no answer.
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    lazy.connect(("127.0.0.1", PORT))
    aborted = counters()["aborted"]
    lazy.sendall(f"GET /{LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    check(wait_until(lambda: counters()["aborted"] > aborted, 60), "a client that takes nothing is cut")
    lazy.close()


# ---------------------------------------------------------------- limits

def all_closed():
    """Whether no connection is left but the one that asks."""
    now = counters()
    return now["connections"] - now["closed"] <= 1


def limits():
    print("limits of a client")
    # Nothing ends here because it was idle.
    check(configure("mird_timeout = 60"), "reload")
    held = [socket.create_connection(("127.0.0.1", PORT), 10, (OTHER, 0)) for _ in range(8)]
    check(wait_until(lambda: counters()["connections"] - counters()["closed"] >= 8, 60), "8 connections are taken")
    check(raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", source=OTHER) == b"", "the ninth is closed")
    check(get("/")[0] == 200, "another client is served")
    for client in held:
        client.close()
    wait_until(all_closed, 60)
    held = [socket.create_connection(("127.0.0.1", PORT), 10, (OTHER, 0)) for _ in range(40)]

    def open_ones():
        count = 0
        for client in held:
            client.setblocking(False)
            try:
                client.recv(1)
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count

    check(wait_until(lambda: 0 < open_ones() <= 8, 30), f"of 40 that come at once {open_ones()} stay")
    for client in held:
        client.close()
    wait_until(all_closed, 60)
    done = curl("--interface", OTHER, "-w", "%{http_code}\n", *["-o", "/dev/null", f"{URL}/update.ver"] * 100)
    codes = done.stdout.split()
    check(codes.count(b"200") >= 10 and codes.count(b"429") >= 20, f"100 requests at once: {codes.count(b'429')} × 429")
    check(b"root" not in curl("--interface", OTHER, f"{URL}/status").stdout
          and get("/status", "--interface", OTHER)[0] in (404, 429), "the statistics are not for others")
    check(configure("mird_client_requests = 0", "mird_client_bandwidth = 1M", f'mird_status_clients = "{OTHER}"'), "reload")
    began = time.monotonic()
    done = curl("--interface", OTHER, f"{URL}/{LARGE}")
    check(done.stdout == FILES[LARGE] and time.monotonic() - began > 1.5, "3 MB at 1 MB/s take their time")
    check(wait_until(lambda: get("/status", "--interface", OTHER)[0] == 200, 60), "mird_status_clients may see the statistics")
    configure("mird_client_bandwidth = 0")


def authentication():
    print("authentication")
    check(configure('auth_mode = "basic"', 'username = "user"', 'password = "pass word"'), "reload")
    check(wait_until(lambda: get("/")[0] == 401, 60), "without a password: 401")
    check(get("/", "--user", "user:pass word")[2] == FILES["update.ver"], "with it: the file")
    check(get("/", "--user", "user:pass")[0] == 401 and get("/nothing")[0] == 401, "a wrong one: 401")
    check(get("/metrics")[0] == 200, "the statistics need none on this machine")
    check(configure('auth_mode = "none"'), "reload")
    check(wait_until(lambda: get("/")[0] == 200, 60), "open again")


def statistics():
    print("statistics")
    check(b"# TYPE esets_mird_requests_total counter" in curl(f"{URL}/metrics").stdout, "/metrics")
    asked = counters()["requests"]
    told = wait_until(lambda: (json.loads(tree.command("esets_mird", "--status", "--json").stdout)
                               if int(tree.status().get("mird.requests", 0)) >= asked else None), 30, 0.5)
    check(told and told["counters"]["requests"] >= asked and told["mirror"]["timestamp_version"] == 7, "--status --json")
    plain = tree.command("esets_mird", "--status").stdout
    check(re.search(rb"^requests=\d+$", plain, re.M) and b"timestamp_expires_seconds=2082758400" in plain, "--status")
    check(b"esets_mirror_files " in tree.command("esets_mird", "--status", "--prometheus").stdout, "--status --prometheus")


# ---------------------------------------------------------------- HTTPS, a chain, nginx

def certificate(name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{tree.etc}/certs/mird.key", "-out",
         f"{tree.etc}/certs/mird.pem"], check=True, capture_output=True)
    os.chmod(f"{tree.etc}/certs/mird.key", 0o644)


def https():
    print("HTTPS")
    certificate("first")
    check(configure(f"listen_port = {TLS_PORT}", 'tls_cert_file = "@ETCDIR@/certs/mird.pem"',
                    'tls_key_file = "@ETCDIR@/certs/mird.key"'), "reload")
    trust = ["--cacert", f"{tree.etc}/certs/mird.pem"]
    url = f"https://127.0.0.1:{TLS_PORT}"
    check(wait_until(lambda: get("/", *trust, url=url)[2] == FILES["update.ver"], 60), "served over HTTPS")
    check(get(f"/{LARGE}", *trust, url=url)[2] == FILES[LARGE], "a large file, too")
    many = [threading.Thread(target=lambda: results.append(get(f"/{LARGE}", *trust, url=url)[2])) for _ in range(8)]
    results = []
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    check(results.count(FILES[LARGE]) == 8, "to 8 clients at once")
    check(get(f"/{LARGE}", *trust, "-r", "100-199", url=url)[2] == FILES[LARGE][100:200], "a part of it")
    check(curl("--tls-max", "1.1", *trust, url).returncode != 0, "no TLS 1.1")
    check(raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", port=TLS_PORT)[:12] != b"HTTP/1.1 200", "no plain HTTP there")
    certificate("second")
    configure()
    check(wait_until(lambda: b"second" in ssl_subject(), 60), "a reload takes another certificate")
    configure(f"listen_port = {PORT}", 'tls_cert_file = ""', 'tls_key_file = ""')
    check(wait_until(lambda: get("/")[0] == 200, 60), "HTTP again")


def ssl_subject():
    try:
        pem = ssl.get_server_certificate(("127.0.0.1", TLS_PORT))
    except OSError:
        return b""
    return ssl.PEM_cert_to_DER_cert(pem)


def chain():
    print("a mirror of the mirror")
    second = Tree(options=[("mird", "agent_enabled = yes"), ("mird", 'listen_addr = "127.0.0.1"'), ("mird", "listen_port = 2225")])
    try:
        for name in FILES:
            path = f"{second.mirror}/{name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            done = curl("--remote-time", "-o", path, f"{URL}/{name}")
            check(done.returncode == 0, f"fetched {name}")
        # curl makes no file for an empty answer.
        open(f"{second.mirror}/empty.dat", "ab").close()
        second.command("esets_daemon")
        url = "http://127.0.0.1:2225"
        check(wait_until(lambda: get("/", url=url)[0] == 200, 60), "it serves")
        for name in FILES:
            first, again = get(f"/{name}"), get(f"/{name}", url=url)
            check(first[2] == again[2], f"{name}: the same bytes")
            check(name == "empty.dat" or first[1]["etag"] == again[1]["etag"], f"{name}: the same tag")
    finally:
        second.remove()


def nginx():
    print("nginx with etc/nginx-mirror.conf over the same directory")
    with open(f"{REPOSITORY}/etc/nginx-mirror.conf") as file:
        text = file.read()
    text = text.replace("listen 2221;", f"listen {NGINX_PORT};").replace("listen [::]:2221;", "")
    text = text.replace("/var/opt/eset/esets/lib/mirror", tree.mirror)
    with open(f"{tree.root}/nginx.conf", "w") as file:
        file.write(f"user root; daemon off; pid {tree.root}/nginx.pid; error_log {tree.root}/nginx.err;\n"
                   f"events {{}}\nhttp {{ access_log off;\n{text}}}\n")
    server = subprocess.Popen(["/usr/sbin/nginx", "-c", f"{tree.root}/nginx.conf"])
    try:
        url = f"http://127.0.0.1:{NGINX_PORT}"
        check(wait_until(lambda: curl(url).returncode == 0, 60), "it starts")
        tag = get(f"/{LARGE}")[1]["etag"]
        compared = ["content-length", "content-type", "etag", "last-modified", "cache-control", "content-range",
                    "content-encoding"]
        for path, *arguments in [
                ("/",), ("/eset_upd/",), ("/eset_upd/update.ver",), ("/eset_upd/v4/",), ("/v4/update.ver",), (f"/{LARGE}",),
                ("/metadata/timestamp.json",), ("/metadata/7.snapshot.json",), ("/empty.dat",), (f"/{LARGE}", "-r", "5-99"),
                (f"/{LARGE}", "-r", "-7"), (f"/{LARGE}", "-H", f"If-None-Match: {tag}"),
                (f"/{LARGE}", "-r", "9-", "-H", f"If-Range: {tag}"), (f"/{LARGE}", "-r", "9-", "-H", 'If-Range: "x"'),
                (f"/{LARGE}", "-H", f"Range: bytes={3 << 20}-"), (f"/{LARGE}", "-H", "Range: bytes=0-1,4-5"),
                ("/nothing",), ("/.hidden",), ("/metadata/",), ("/passwd",), ("/%2e%2e/etc/passwd",), (f"/{LARGE}", "--head")]:
            own, other = get(path, *arguments), get(path, *arguments, url=url)
            name = " ".join([path.replace(DIGEST, "…"), *arguments])
            if own[0] >= 400:
                # A refusal is one: 400, 403 or 404.
                check(other[0] >= 400 and (own[0] == other[0] or own[0] == 404), f"{name}: {own[0]}, {other[0]}")
                continue
            differences = [field for field in compared if own[1].get(field) != other[1].get(field)
                           and not (own[0] == 304 and field in ("content-length", "content-type"))]
            check(own[0] == other[0] and own[2] == other[2] and not differences,
                  f"{name}: {own[0]}, {other[0]} {differences}")
    finally:
        server.terminate()
        server.wait(10)


try:
    # A mirror needs no modules of its own.
    check(tree.command("esets_daemon").returncode == 0, "the daemon starts")
    check(wait_until(lambda: curl(URL).returncode == 0, 60), "the mirror is there")
    for part in (files, process, hostile, slow, limits, authentication, statistics, https, chain, nginx):
        part()
    check("Fatal error" not in tree.log_text(), "nothing trapped")
finally:
    tree.remove()
finish()
