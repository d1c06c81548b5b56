"""Swaps inside one process under load: every verdict is that of its generation, and memory stays flat."""

import os
import re
import subprocess

from harness import REPOSITORY, Tree, check, finish

tree = Tree()
try:
    assert tree.update().returncode == 0
    build = os.environ.get("ESETS_BUILD", f"{REPOSITORY}/.build/release")
    done = subprocess.run(
        [f"{build}/esets_bench", f"--root={tree.root}", f"--count={os.environ.get('ESETS_TEST_SWAPS', '400')}", "swap"],
        env={**os.environ, "LD_LIBRARY_PATH": f"{tree.root}/opt/eset/esets/lib"}, capture_output=True, timeout=800)
    text = done.stdout.decode()
    print(text, done.stderr.decode(), flush=True)
    check(done.returncode == 0, "every scan, before and after each swap, had the verdict of its generation")
    numbers = re.search(r"after each tenth: ([\d ]+)", text)
    course = [int(number) for number in numbers.group(1).split()] if numbers else []
    # The first tenth fills caches; after it some hundred thousand scans and all swaps must leave nothing behind.
    check(len(course) == 10 and course[-1] - course[0] < 4096, f"resident memory stays flat: {course} KB")
finally:
    tree.remove()
finish()
