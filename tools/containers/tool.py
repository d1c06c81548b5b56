"""Running the real tools that make containers, each in a folder of its own."""

import os
import shutil
import subprocess
import tempfile


class Unavailable(Exception):
    """The tool is not installed, or refused."""


def run(command, cwd=None, data=None, seconds=120):
    if not shutil.which(command[0]):
        raise Unavailable(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True, timeout=seconds)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command)[:80]}: {done.stderr.decode(errors='replace')[-200:]}")
    return done.stdout


class Folder:
    """A temporary folder with the payload in it under its name."""

    def __init__(self, name, data):
        self.path = tempfile.mkdtemp(prefix="container-")
        self.name = name
        with open(os.path.join(self.path, name), "wb") as out:
            out.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, *command, data=None):
        return run(list(command), self.path, data)

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read()

    def write(self, name, data):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
        return path
