"""The samples of the unit tests through the installed system: what em003 opens there, it opens under the release build, the
sandbox and the limits of the daemon as well."""

import os

from harness import REPOSITORY, Tree, check, finish

SAMPLES = f"{REPOSITORY}/Tests/ArchivesTests/Samples"

tree = Tree()
try:
    tree.signature("Test.Payload", "A harmless text in place of something that is not. 0123456789 abc.")
    tree.start()
    names = sorted(name for name in os.listdir(SAMPLES) if not name.endswith(".json"))
    missed = []
    for name in names:
        done = tree.command("esets_scan", "--clean-mode=none", f"{SAMPLES}/{name}")
        if done.returncode != 50:
            missed.append(name)
            print(done.stdout.decode()[-400:])
    check(len(names) > 150 and not missed, f"the payload is found in each of {len(names)} samples: {missed}")
finally:
    tree.remove()
finish()
