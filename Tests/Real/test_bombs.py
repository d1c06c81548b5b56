"""Files that want more than there is (tools/corpus bombs has all of them): each scan ends by a limit that it names."""

import json
import os
import sys
import time

from harness import REPOSITORY, Peak, Tree, check, finish

sys.path.insert(0, os.path.join(REPOSITORY, "tools", "containers"))
import bombs  # noqa: E402
from tool import Unavailable  # noqa: E402

# The limit of memory of a scan is 256 MiB, decoders included; the process has few megabytes beside.
MEMORY = 256 << 20


def scan(tree, path):
    with Peak(tree.scanners) as peak:
        done = tree.command("esets_scan", "--clean-mode=none", "--json", path, timeout=300)
    lines = [json.loads(line) for line in done.stdout.decode(errors="replace").splitlines()]
    file = next((line for line in lines if line["type"] == "file"), {})
    return done.returncode, sorted({reason["reason"] for reason in file.get("not_scanned", [])}), peak.bytes


# The limit of time is for what never ends: it counts the clock on the wall.
tree = Tree(options=[("global", "av_scan_timeout = 240"), ("global", "num_thrd = 1")])
try:
    tree.start()
    scanners = tree.scanners()
    limited, missing = 0, []
    for name, (maker, expected) in bombs.BOMBS.items():
        try:
            content = maker()
        except Unavailable as problem:
            missing.append(f"{name} ({problem})")
            continue
        path = f"{tree.root}/bomb"
        with open(path, "wb") as out:
            out.write(content)
        began = time.monotonic()
        code, reasons, peak = scan(tree, path)
        limited += expected == "limit"
        named = any(reason.startswith("limit: ") for reason in reasons)
        check(
            code in ((10,) if expected == "limit" else (0, 10)) and (named or expected != "limit") and peak < MEMORY
            and "limit: time" not in reasons,
            f"{name} ({len(content):,} bytes): {code}, {peak >> 20} MiB, {time.monotonic() - began:.1f} s, {'; '.join(reasons)}")
    if missing:
        print("not made, for the want of tools (tools/packages corpus):", "; ".join(missing))
    check(limited >= (70 if missing else 100), f"{limited} of them had to end by a limit")
    check(tree.scanners() == scanners, "no scanning process ended")
    check(tree.status()["Crashes"] == "0", "nothing crashed")
finally:
    tree.remove()
finish()
