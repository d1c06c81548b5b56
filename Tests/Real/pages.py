"""Pages of the documentation as tests follow them: what is run is what is printed."""

import re
import subprocess

from harness import REPOSITORY, check


class Page:
    """The code on a page of docs/: its commands and files. Nothing on it may be left over."""

    def __init__(self, name):
        self.name = name
        self.blocks = []
        block, fenced = None, False
        with open(f"{REPOSITORY}/docs/{name}", encoding="utf-8") as file:
            for line in file.read().split("\n"):
                if line.startswith("```"):
                    fenced = not fenced
                    block = None
                    continue
                code = line if fenced else line[4:] if line.startswith("    ") else None
                if not code:
                    block = None
                    continue
                if block is None:
                    block = []
                    self.blocks.append(block)
                block.append(code)

    def command(self, beginning):
        """The next command that begins so, with the lines that it goes on in."""
        for block in self.blocks:
            for index, line in enumerate(block):
                if not line.startswith(beginning):
                    continue
                count = 1
                while block[index + count - 1].endswith("\\"):
                    count += 1
                lines = block[index:index + count]
                del block[index:index + count]
                return "\n".join(lines)
        raise AssertionError(f"docs/{self.name} has no {beginning!r}")

    def block(self, beginning):
        """A whole block whose first line begins so."""
        for block in self.blocks:
            if block and block[0].startswith(beginning):
                lines = block[:]
                block.clear()
                return lines
        raise AssertionError(f"docs/{self.name} has no block {beginning!r}")

    def install(self, path):
        """A file that begins with a comment that names its path, written there; its lines."""
        lines = self.block(f"# {path}")
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        return lines

    def rest(self):
        """What nobody ran."""
        return [line for block in self.blocks for line in block]


def run_crontab(path, skip=()):
    """Runs each line of a file of /etc/cron.d as cron would: as its user, with the PATH that it has there."""
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LC_ALL": "C"}
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#") or not line.strip():
                continue
            setting = re.match(r"([A-Z]+)=(.*)$", line)
            if setting:
                environment[setting.group(1)] = setting.group(2)
                continue
            fields = line.split(None, 6)
            check(all(re.fullmatch(r"[*0-9,/-]+", field) for field in fields[:5]), f"the times of {line!r}")
            command = fields[6]
            for old, new in skip:
                command = command.replace(old, new)
            done = subprocess.run(["/usr/sbin/runuser", "-u", fields[5], "--", "/bin/sh", "-c", command], env=environment,
                                  capture_output=True, timeout=300, cwd="/")
            check(done.returncode == 0 and not done.stderr, f"{path}: {command} {done.stderr.decode().strip()}")


def run_unit(*paths):
    """Has systemd check units, and runs what the services start."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--generators=no", *paths], capture_output=True, timeout=120)
    said = [line for line in done.stderr.decode().splitlines() if any(path.rsplit("/", 1)[1] in line for path in paths)]
    check(not said, f"systemd has no objection to {paths}: {said}")
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        values = {}
        for line in lines:
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
        accepted = {0, *(int(value) for value in values.get("SuccessExitStatus", []))}
        for command in values.get("ExecStart", []):
            user = values.get("User", ["root"])[0]
            done = subprocess.run(["/usr/sbin/runuser", "-u", user, "--", *command.split()], env={"PATH": "/usr/bin:/bin"},
                                  capture_output=True, timeout=300, cwd="/")
            check(done.returncode in accepted, f"{path}: {command} {done.stderr.decode().strip()}")
        for calendar in values.get("OnCalendar", []):
            done = subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, timeout=60)
            check(done.returncode == 0, f"systemd knows the time {calendar}")
