"""tools/bench swap and load: what esets_bench measures inside one process, on a tree of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import systems


def run(options):
    work = tempfile.mkdtemp(prefix="esets-bench-")
    os.chmod(work, 0o755)
    try:
        tree = systems.Tree(os.path.join(work, "root"))
        tree.install()
        tree.command("esets_update")
        arguments = [os.path.join(systems.BUILD, "esets_bench"), f"--root={tree.root}"]
        if options.count:
            arguments.append(f"--count={options.count}")
        if options.size:
            arguments.append(f"--size={options.size}")
        done = subprocess.run(
            [*arguments, options.what], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, LD_LIBRARY_PATH=tree.lib))
        if options.json:
            print(json.dumps({"status": done.returncode, "lines": [figures(line) for line in done.stdout.splitlines()]},
                             indent=2))
        else:
            print(done.stdout, end="")
        if done.returncode:
            sys.exit(f"tools/bench: esets_bench ended with status {done.returncode}")
    except (RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"tools/bench: {error}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def figures(line):
    """A line with the numbers in it."""
    return {"text": line, "numbers": [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", line)]}
