"""Files that want more than there is (tools/corpus bombs has all of them): each scan ends by a limit that it names."""

import json
import os
import sys
import time

from harness import REPOSITORY, Peak, Tree, check, finish

sys.path.insert(0, os.path.join(REPOSITORY, "tools", "containers"))
import bombs  # noqa: E402

# The limit of memory of a scan is 256 MiB, decoders included; the process has few megabytes beside.
MEMORY = 256 << 20
# Those that Python alone makes, one or two of each kind.
NAMES = (
    "zip-4g", "gzip-4g", "zlib-4g", "bzip2-2g", "xz-2g", "zip-bzip2-2g", "xz-dictionary-1g-zeros", "lzma-dictionary-4g-zeros",
    "zip-xz-dictionary", "tar-gzip-4g", "pdf-flate-twice", "pdf-run-length", "mail-base64-gzip-4g", "lzma-dictionary-4g",
    "xz-dictionary-4g", "zstd-window-2g", "zstd-window-2g-zeros", "nested-gzip", "nested-bzip2", "nested-xz", "nested-zip-stored",
    "nested-tar-ustar", "nested-mail-base64", "nested-mail-nested", "nested-mail-uuencode", "nested-mail-yenc",
    "nested-mail-binhex", "nested-tnef", "nested-mbox", "nested-ole-package", "nested-docx-ole", "nested-rtf",
    "nested-html-data-uri", "nested-flat-opc", "nested-pdf-flate", "nested-onenote", "nested-alz", "nested-lnk-appended",
    "nested-pe-overlay", "zips-16-wide", "zip-stored-in-itself", "gzip-quine", "zip-overlapping-5000",
    "zip-overlapping-headers", "ole-streams-share-sectors", "ole-storages-16000-deep", "ole-directory-cycle", "ole-chain-cycles",
    "ole-difat-cycle", "gpt-partitions-share", "mbr-extended-cycle", "macho-universal-of-itself", "qcow2-clusters-share",
    "vhd-blocks-share", "dmg-blocks-share", "many-tar", "many-cpio", "many-ar", "many-zip-local", "many-onenote", "many-tnef",
    "many-mbox", "many-uue", "many-yenc", "many-rtf", "many-vcard", "many-shar", "many-warc", "mime-1m-parts", "mime-10000-deep",
    "mime-messages-5000-deep", "mime-ambiguous-deep", "mime-ambiguous-tree", "mime-ambiguous-wide", "mime-comments-1m-deep",
    "zip-names-64k", "zip-tricks", "tar-tricks", "tar-size-2-60", "tar-pax-30m", "cpio-name-4g", "xar-listing-1g",
    "smime-nested-1m", "rtf-groups-10m-deep", "rtf-bin-2g", "xml-entities", "docx-entities", "svg-entities", "pdf-no-endstream",
    "pdf-no-endobj", "pdf-strings-open", "pdf-streams-without-end", "pdf-filters-by-reference", "pdf-object-streams-1m",
)


def scan(tree, path):
    with Peak(tree.scanners) as peak:
        done = tree.command("esets_scan", "--clean-mode=none", "--json", path, timeout=200)
    lines = [json.loads(line) for line in done.stdout.decode(errors="replace").splitlines()]
    file = next((line for line in lines if line["type"] == "file"), {})
    return done.returncode, sorted({reason["reason"] for reason in file.get("not_scanned", [])}), peak.bytes


tree = Tree(options=[("global", "av_scan_timeout = 60"), ("global", "num_thrd = 1")])
try:
    tree.start()
    scanners = tree.scanners()
    for name in NAMES:
        maker, expected = bombs.BOMBS[name]
        content = maker()
        path = f"{tree.root}/bomb"
        with open(path, "wb") as out:
            out.write(content)
        began = time.monotonic()
        code, reasons, peak = scan(tree, path)
        named = any(reason.startswith("limit: ") for reason in reasons)
        check(
            code in ((10,) if expected == "limit" else (0, 10)) and (named or expected != "limit") and peak < MEMORY
            and "limit: time" not in reasons,
            f"{name} ({len(content):,} bytes): {code}, {peak >> 20} MiB, {time.monotonic() - began:.1f} s, {'; '.join(reasons)}")
    check(tree.scanners() == scanners, "no scanning process ended")
    check(tree.status()["Crashes"] == "0", "nothing crashed")
finally:
    tree.remove()
finish()
