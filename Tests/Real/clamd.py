"""Clients of clamd's protocol for the tests: raw conversations, and a private clamd to compare with."""

import array
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from harness import EICAR, Tree, wait_until

NAMES = ("Test.Multi.A", "Test.Multi.B", "PUA.Test.Thing")
MULTI = b"first multimatch-aaa then multimatch-bbb\n"
PORT = 3310


def chunks(content, size=None):
    """Content as INSTREAM wants it."""
    size = size or max(1, len(content))
    pieces = [content[i:i + size] for i in range(0, len(content), size)]
    return b"".join(struct.pack("!I", len(piece)) + piece for piece in pieces) + bytes(4)


class Descriptor:
    """A file whose descriptor is sent, with some bytes."""

    def __init__(self, *paths, text=b"\0"):
        self.paths, self.text = paths, text


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds


END = object()


def connect(address):
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout=10)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(address)
    return client


def talk(address, *steps, patience=30.0):
    """Does the steps (bytes, descriptors, a wait, END for the end of what is sent), then reads to the end; the bytes
    that came, and whether the server closed."""
    client = connect(address)
    received = b""
    try:
        for step in steps:
            if isinstance(step, bytes):
                client.sendall(step)
            elif isinstance(step, Wait):
                time.sleep(step.seconds)
            elif step is END:
                client.shutdown(socket.SHUT_WR)
            else:
                files = [os.open(path, os.O_RDONLY) for path in step.paths]
                client.sendmsg([step.text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
                for file in files:
                    os.close(file)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server had enough; its last words come next
    client.settimeout(patience)
    try:
        while piece := client.recv(65536):
            received += piece
    except TimeoutError:
        return received, False
    except ConnectionResetError:
        pass
    finally:
        client.close()
    return received, True


def ask(address, *steps):
    """The reply alone."""
    return talk(address, *steps)[0]


def stream(address, content, size=None):
    return ask(address, b"zINSTREAM\0" + chunks(content, size))


def tree(*options, **more):
    """An installed system with the agent, and signatures of these tests."""
    made = Tree(
        options=[
            ("clamd", "agent_enabled = yes"), ("clamd", 'listen_addr = "127.0.0.1"'),
            ("clamd", "clamd_stream_max = 100000"), *options], **more)
    made.clamd = f"{made.root}/var/run/esets_clamd.sock"
    made.signature("Test.Multi.A", "multimatch-aaa")
    made.signature("Test.Multi.B", "multimatch-bbb")
    made.signature("PUA.Test.Thing", "puathing-ccc")
    made.signature("PUA.NetTool.Thing", "toolthing-ddd")
    return made


def start(made):
    made.start()
    assert wait_until(lambda: pongs(made.clamd), 60), made.log_text()[-3000:]


def pongs(address):
    try:
        return ask(address, b"zPING\0") == b"PONG\0"
    except OSError:
        return False


class Clamd:
    """A private clamd with the same signatures; None without one (`available`)."""

    program = shutil.which("clamd") or "/usr/sbin/clamd"

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="esets-clamd-")
        os.chmod(self.home, 0o777)
        os.mkdir(f"{self.home}/db")
        self.socket = f"{self.home}/clamd.sock"
        with open(f"{self.home}/db/test.ndb", "w") as out:
            for name, text in zip(NAMES, ("multimatch-aaa", "multimatch-bbb", "puathing-ccc")):
                out.write(f"{name}:0:*:{text.encode().hex()}\n")
            out.write(f"Eicar-Test-Signature:0:*:{EICAR[:40].hex()}\n")
        with open(f"{self.home}/clamd.conf", "w") as out:
            out.write(
                f"LocalSocket {self.socket}\nTCPSocket 3311\nTCPAddr 127.0.0.1\nDatabaseDirectory {self.home}/db\n"
                f"Foreground yes\nStreamMaxLength 100000\nSelfCheck 0\nUser nobody\nTemporaryDirectory {self.home}\n")
        self.process = subprocess.Popen(
            [self.program, "-c", f"{self.home}/clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(lambda: pongs(self.socket), 60)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)
