"""Every kind of signature file, from the mirror to the verdict: what administrators put there is what esets_scan finds, with
its name, file, place and class; esets_update --check and esets_mod diff say the same without installing anything."""

import hashlib
import json
import os
import shutil
import struct
import tempfile
import time
import zlib

from harness import Tree, attachment, check, finish, zipped

tree = Tree()
work = tempfile.mkdtemp(prefix="esets-signatures-")
signatures = f"{tree.mirror}/signatures"


def put(name, content):
    path = os.path.join(work, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)
    return path


def write(folder, name, text):
    with open(f"{folder}/{name}", "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    return f"{folder}/{name}"


def digest(kind, content):
    return hashlib.new(kind, content).hexdigest()


def scan(content, *options, name="object"):
    """Exit status, and the threats of one object as esets_scan --json tells them."""
    done = tree.command("esets_scan", "--clean-mode=none", "--json", *options, put(name, content))
    threats = []
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        if entry["type"] == "file":
            threats += entry.get("threats", [])
    return done.returncode, threats


def names(content, *options):
    return sorted(threat["name"] for threat in scan(content, *options)[1])


LOCKED = b"the text of the archive that has a password\n"
TEXT = b"An object of 64 bytes that a digest, and nothing else, can name\n"
FILES = {
    "a.hdb": f"{digest('md5', TEXT)}:{len(TEXT)}:Test.Digest.MD5\n",
    "a.hsb": f"{digest('sha256', TEXT)}:*:Test.Digest.SHA256:73\n{digest('sha1', TEXT)}:{len(TEXT)}:Test.Digest.SHA1\n",
    "a.ndb": f"Test.Body:0:*:{b'wild'.hex()}{{2-4}}{b'card'.hex()}*{b'end'.hex()}\nTest.Offset:0:16:{b'sixteen'.hex()}\n",
    "a.ldb": f"Test.Logical;Engine:81-255,Target:0;0=2&(1|2);{b'twice'.hex()}::i;{b'one'.hex()};{b'wide'.hex()}::w\n"
             f"Test.Regex;Engine:81-255,Target:0;0&1;{b'trigger'.hex()};0/tr[a-i]gger-(\\d)\\1/\n"
             f"Test.InZip;Engine:81-255,Container:CL_TYPE_ZIP,Target:0;0;{b'only when packed'.hex()}\n"
             f"Test.Retype;Engine:51-255,HandlerType:CL_TYPE_PDF,Target:0;0;{b'no header of PDF'.hex()}\n",
    "pdf.ndb": f"Test.Retyped:10:*:{b'known by rule'.hex()}\n",
    "a.ndu": f"PUA.Test.Bundler:0:*:{b'an unwanted tool'.hex()}\nPUA.Win.Tool.Test:0:*:{b'an unsafe tool'.hex()}\n",
    "a.cdb": "Test.Name:CL_TYPE_ZIP:*:^forbidden\\.js$:*:*:*:*:*:*\n",
    "a.pwdb": "Password.Test;Engine:81-255,Container:CL_TYPE_ZIP;0;infected-by-default\n",
    "locked.ndb": f"Test.Locked:0:0:{LOCKED[:20].hex()}\n",
    "a.yar": 'rule Test_YARA_Text : tag { meta: author = "nobody" strings: $a = "yara finds me" nocase wide ascii condition: $a }\n'
             'import "pe"\nrule Test_YARA_PE { condition: pe.is_pe and pe.number_of_sections == 1 }\n'
             "rule Test_YARA_Page { strings: $r = /<B class='[A-Z]+'>/ condition: $r in (0..200) }\n",
    "a.fp": f"{digest('md5', b'wild..card, but allowed, end')}:28:Allowed\n",
    "a.ign2": "Test.Ignored\n",
    "ignored.ndb": f"Test.Ignored:0:*:{b'ignored text'.hex()}\n",
}


def found():
    print("what is in the mirror is found")
    for name, text in FILES.items():
        write(signatures, name, text)
    done = tree.update("--json")
    result = json.loads(done.stdout)
    check(done.returncode == 0 and result["updated"], f"the files are compiled: {result}")
    check(tree.command("esets_daemon").returncode == 0, "the daemon starts")
    check(names(TEXT, "--all-matches") == ["Test.Digest.MD5", "Test.Digest.SHA1", "Test.Digest.SHA256"], "digests of three kinds")
    check(names(TEXT + b"\n") == [], "and of nothing else")
    check(names(b"wild..card and the end") == ["Test.Body"], "wildcards")
    check(names(b"wild.....card and the end") == [], "a gap that is too long")
    check(names(b"wild..card, but allowed, end") == [], "what is listed as harmless")
    check(names(b"twice ... TWICE one") == ["Test.Logical"], "a logical signature")
    check(names(b"twice ... TWICE w\0i\0d\0e\0") == ["Test.Logical"], "with the wide form of a part")
    check(names(b"twice ... twice TWICE one") == [], "a part that is there once too often")
    check(names(b"trigger-77") == ["Test.Regex"] and names(b"trigger-78") == [], "a regular expression")
    packed = b"this counts only when packed"
    check(names(zipped(packed)) == ["Test.InZip"] and names(packed) == [], "a condition on the container")
    check(names(b"no header of PDF, and known by rule") == ["Test.Retyped"], "a rule that tells the type")
    check(names(b"known by rule") == [], "without which it is not that type")
    check(names(zipped(b"harmless", "forbidden.js")) == ["Test.Name"], "a name in a container")
    check(names(b"ignored text") == [], "an ignored signature")
    check(names(b"an unwanted tool") == [], "an unwanted application is not told unasked")
    check(names(b"an unwanted tool", "--unwanted") == ["PUA.Test.Bundler"], "but when it is asked for")
    check(names(b"an unsafe tool", "--unwanted") == [] and names(b"an unsafe tool", "--unsafe") == ["PUA.Win.Tool.Test"], "an unsafe one")
    check(names(encrypted()) == ["Test.Locked"], "what a password of the database opens")


def encrypted():
    """A ZIP archive with the traditional encryption (APPNOTE 6.1), made here because no common tool is installed."""
    table = [0] * 256
    for n in range(256):
        c = n
        for _ in range(8):
            c = c >> 1 ^ (0xedb88320 if c & 1 else 0)
        table[n] = c
    keys = [0x12345678, 0x23456789, 0x34567890]

    def step(byte):
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 255]
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xffffffff
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 255]

    for byte in b"infected-by-default":
        step(byte)
    crc = zlib.crc32(LOCKED)
    out = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + LOCKED:
        odd = keys[2] & 0xffff | 2
        out.append(byte ^ (odd * (odd ^ 1) >> 8 & 255))
        step(byte)
    head = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0x5000, 0x5d75, crc, len(out), len(LOCKED), 5, 0)
    local = b"PK\3\4" + head + b"a.txt" + bytes(out)
    central = b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.txt"
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def rules():
    print("YARA rules")
    check(names(b"... Yara Finds Me ...") == ["Test_YARA_Text"], "a text")
    wide = "YARA FINDS ME".encode("utf-16-le")
    check(names(attachment(zipped(b"..." + wide, "x.bin"), "x.zip")) == ["Test_YARA_Text"], "in a ZIP archive in a message")
    page = b"<html><body><B class='RED'>x</B></body></html>\n"
    check(names(page) == ["Test_YARA_Page"], "in a page as it is, in capitals")
    check(names(page.replace(b"RED", b"Red")) == [], "and not in what is made of it")
    check(names(program()) == ["Test_YARA_PE"], "a function of the module pe")
    status, threats = scan(b"twenty bytes before yara finds me", name="place.bin")
    check(
        status == 50 and threats[0]["source"] == "a.yar" and threats[0]["class"] == "signature", f"file and class: {threats}")
    shown = tree.command("esets_mod", "--json", "show", "em002", "--find=Test_YARA*")
    listed = json.loads(shown.stdout)
    check(
        [(entry["name"], entry["source"], entry["line"]) for entry in listed]
        == [("Test_YARA_Text", "a.yar", 1), ("Test_YARA_PE", "a.yar", 3), ("Test_YARA_Page", "a.yar", 4)],
        f"the catalogue has them: {listed}")
    write(signatures, "a.yar", "rule Test_YARA_Other { strings: $a = \"another text\" condition: $a }")
    check(tree.update().returncode == 0, "other rules are compiled")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and names(b"this is another text") == []:
        time.sleep(0.2)
    check(names(b"this is another text") == ["Test_YARA_Other"], "and found without a restart")
    check(names(b"yara finds me") == [], "instead of the old ones")


def program():
    """The smallest Windows program with one section."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14c, 1, 0, 0, 0, 0xe0, 0x102)
    head += struct.pack("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10b, 6, 0, 512, 0, 0, 0x1000, 0x1000, 0x2000, 0x400000, 0x1000,
                        0x200, 4, 0, 0, 0, 4, 0, 0, 0x2000, 0x200, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    head += bytes(128) + struct.pack("<8sIIIIIIHHI", b".text", 512, 0x1000, 512, 512, 0, 0, 0, 0, 0x60000020)
    return head + bytes(512 - len(head)) + b"\xc3" * 512


def verdicts():
    print("what a verdict tells")
    mail = attachment(zipped(b"x" * 100 + b"wild..card and the end", "inner.bin"), "outer.zip")
    status, threats = scan(mail, name="mail.eml")
    threat = threats[0]
    check(status == 50 and threat["name"] == "Test.Body", f"name: {threat}")
    check(threat["source"] == "a.ndb", "source database")
    check("outer.zip" in threat["object"] and "inner.bin" in threat["object"], f"path inside of the message: {threat['object']}")
    check(threat["offset"] == 100, f"offset in the object: {threat['offset']}")
    both = b"sixteen bytes..:sixteen wild..card end"
    check(names(both, "--all-matches") == ["Test.Body", "Test.Offset"], "all matches")
    check(len(names(both)) == 1, "one without asking")
    text = tree.command("esets_scan", "--clean-mode=none", "--all-matches", put("both", both)).stdout.decode()
    check("Test.Body" in text and "Test.Offset" in text, "the report for people has all, too")
    pua = b"an unwanted tool, wild..card end"
    _, threats = scan(pua, "--all-matches", "--unwanted")
    check({t["name"]: t["class"] for t in threats} == {"PUA.Test.Bundler": "unwanted", "Test.Body": "signature"}, f"classes: {threats}")
    status, threats = scan(b"an unwanted tool", "--unwanted")
    check(status == 50, f"an unwanted application that was asked for counts: {status}")


def checking():
    print("esets_update --check")
    before = os.readlink(f"{tree.base}/generations/current")
    folder = f"{work}/check"
    os.makedirs(folder)
    good = write(folder, "good.ndb", FILES["a.ndb"])
    done = tree.command("esets_update", "--check", good)
    check(done.returncode == 0 and b"2 signatures from 1 file, 0 malformed lines" in done.stdout, done.stdout.decode())
    bad = write(folder, "bad.ldb", "Name;Target:0;0&1;6162\nFine;Target:0;0;616263\n" + "x\n" * 30)
    done = tree.command("esets_update", "--check", good, bad)
    out = done.stdout.decode()
    check(done.returncode == 65 and "bad.ldb:1: " in out and "and 11 more malformed lines" in out, "bad lines: 65, by file and line")
    done = tree.command("esets_update", "--check", "--verbose", bad)
    check(b"bad.ldb:32: fewer than four fields" in done.stdout, "all of them with --verbose")
    rule = write(folder, "bad.yara", "rule a { condition: b }\nrule c { condition: true }\nimport \"cuckoo\"\n")
    done = tree.command("esets_update", "--check", rule)
    check(done.returncode == 65 and b"bad.yara:1:21: " in done.stdout, f"rules by file, line and column: {done.stdout.decode()}")
    write(folder, "code.cbc", "ClamBC\n")
    many = write(folder, "many.ldb", "".join(
        f"Fuzzy.{n};Engine:150-255,Target:5;0;fuzzy_img#{n:016x}#9\n" for n in range(1500)))
    done = tree.command("esets_update", "--check", "--verbose", many)
    check(
        done.returncode == 0 and done.stdout.count(b": not evaluated\n") == 1500 and b"1500 not evaluated" in done.stdout,
        "what is not evaluated is listed line by line, whatever the number")
    done = tree.command("esets_update", "--check", "--json", folder)
    report = json.loads(done.stdout)
    check(
        done.returncode == 65 and report["signatures"] == 4 and report["not_evaluated"] == 1501 and report["malformed"] == 32,
        f"--json: {[report[k] for k in ('signatures', 'malformed', 'not_evaluated')]} {report['reasons']}")
    for path, code in (("/dev/null", 66), (f"{work}/none", 66), ("/dev/zero", 66)):
        done = tree.command("esets_update", "--check", path)
        check(done.returncode == code and path.encode() in done.stderr, f"{path}: {done.stderr.decode().strip()}")
    noise = write(folder, "noise.hsb", os.urandom(2_000_000))
    check(tree.command("esets_update", "--check", noise).returncode == 65, "noise: 65")
    noise = write(folder, "noise.cvd", os.urandom(2_000_000))
    done = tree.command("esets_update", "--check", noise)
    check(done.returncode == 65 and b"noise.cvd: refused: " in done.stdout, "noise in place of a container: 65")
    huge = f"{folder}/huge.hsb"
    with open(huge, "w") as out:
        for n in range(400_000):
            out.write(f"{n * 0x9e3779b97f4a7c15 % (1 << 128):032x}:{n + 1}:Huge.{n}:73\n")
    done = tree.command("esets_update", "--check", huge)
    check(done.returncode == 0 and b"400000 signatures" in done.stdout, "400,000 digests")
    check(os.readlink(f"{tree.base}/generations/current") == before, "nothing was installed")


def differences():
    print("esets_mod diff")
    module = f"{tree.base}/generations/current/em002_64.dat"
    old = f"{work}/old_64.dat"
    shutil.copy(module, old)
    write(signatures, "more.ndb", f"Test.New.B:0:*:{b'something new'.hex()}\nTest.New.A:0:*:{b'something newer'.hex()}\n")
    os.remove(f"{signatures}/a.ndu")
    check(tree.update().returncode == 0, "a database with others")
    done = tree.command("esets_mod", "diff", old, "em002")
    lines = done.stdout.decode().splitlines()
    check(
        done.returncode == 0 and lines[:-1]
        == ["- PUA.Test.Bundler  a.ndu:1  unwanted", "- PUA.Win.Tool.Test  a.ndu:2  unsafe", "+ Test.New.B  more.ndb:1", "+ Test.New.A  more.ndb:2"],
        f"what came and went: {lines}")
    check("2 came, 2 went" in lines[-1], lines[-1])
    data = json.loads(tree.command("esets_mod", "--json", "diff", old, "em002").stdout)
    check([e["name"] for e in data["came"]] == ["Test.New.B", "Test.New.A"] and len(data["went"]) == 2, "--json")
    done = tree.command("esets_mod", "diff", "em002", "em002")
    check(done.returncode == 0 and b"0 came, 0 went" in done.stdout, "no difference to itself")
    for operands in ((), (old,), (old, old, old)):
        check(tree.command("esets_mod", "diff", *operands).returncode == 64, f"{len(operands)} operands: 64")
    for wrong in (f"{work}/none", f"{tree.base}/generations/current/em003_64.dat", put("noise", os.urandom(100_000))):
        done = tree.command("esets_mod", "diff", old, wrong)
        check(done.returncode != 0 and wrong.encode() in done.stderr, f"{done.returncode} {done.stderr.decode().strip()}")


try:
    for step in (found, verdicts, checking, rules, differences):
        step()
    check("crash" not in tree.log_text(), "nothing crashed meanwhile")
finally:
    tree.remove()
    shutil.rmtree(work, ignore_errors=True)
finish()
