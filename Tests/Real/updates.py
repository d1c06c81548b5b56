"""Servers of updates that fail in every way a test asks for."""

import email.utils
import hashlib
import http.server
import os
import random
import threading
import time
import urllib.parse


class UpdateServer:
    """Serves folders: {"": DIR, "lists": DIR2}; with ETags, ranges, and faults.

    - delay: seconds between pieces of 16 KB.
    - cut: a function of the path that gives after how many bytes a connection breaks, or None.
    - refuse: (status, {fields}) for every request, or None.
    - password: "user:password" for Basic authentication.
    """

    def __init__(self, folder, port=0):
        self.folder = folder
        self.delay = 0
        self.cut = lambda path: None
        self.refuse = None
        self.password = None
        self.requests = []
        self.bytes = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                outer.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        seen, self.requests = self.requests, []
        return seen

    def answer(self, handler):
        path = urllib.parse.unquote(handler.path).lstrip("/")
        self.requests.append((path, dict(handler.headers)))
        if self.refuse:
            return self.head(handler, self.refuse[0], 0, self.refuse[1])
        if self.password and handler.headers.get("Authorization") != self.password:
            return self.head(handler, 401, 0, {"WWW-Authenticate": 'Basic realm="updates"'})
        name = os.path.join(self.folder, path)
        if ".." in path or not os.path.isfile(name):
            return self.head(handler, 404, 0, {})
        with open(name, "rb") as file:
            content = file.read()
        tag = '"%s"' % hashlib.sha256(content).hexdigest()[:16]
        fields = {"ETag": tag, "Last-Modified": email.utils.formatdate(os.path.getmtime(name), usegmt=True)}
        if handler.headers.get("If-None-Match") == tag:
            return self.head(handler, 304, 0, fields)
        start, end, status = 0, len(content), 200
        wanted = handler.headers.get("Range")
        if wanted and handler.headers.get("If-Range", tag) == tag:
            first, last = wanted[len("bytes="):].split("-")
            start, end, status = int(first), min(int(last) + 1, end) if last else end, 206
            fields["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self.head(handler, status, end - start, fields)
        cut = self.cut(path)
        for at in range(start, end, 16_384):
            piece = content[at:min(at + 16_384, end)]
            if cut is not None and at + len(piece) - start > cut:
                handler.wfile.write(piece[:max(0, cut - at + start)])
                handler.close_connection = True
                return
            handler.wfile.write(piece)
            self.bytes += len(piece)
            if self.delay:
                time.sleep(self.delay)

    def head(self, handler, status, length, fields):
        handler.send_response(status)
        handler.send_header("Content-Length", str(length))
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.end_headers()


def body_signatures(count, seed):
    """A file of body signatures that compresses no better than a real one, and the text that its last line finds."""
    numbers = random.Random(seed)
    lines = [f"Test.Update-{i}:0:*:{numbers.getrandbits(256):064x}\n" for i in range(count)]
    text = f"update marker {seed} {numbers.getrandbits(64):016x}"
    lines.append(f"Test.Update.Marker-{seed}:0:*:{text.encode().hex()}\n")
    return "".join(lines).encode(), text.encode()
