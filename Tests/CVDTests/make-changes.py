#!/usr/bin/env python3
"""Makes Fixtures/changes: a container, two scripts of changes, and the container that they lead to; prints the keys' numbers."""
import os

from containers import Publisher, changes

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures", "changes")
os.makedirs(here, exist_ok=True)
publisher = Publisher()


def fields(version, count):
    return f"ClamAV-VDB:21 Nov 2026 12-0{version} +0000:{version}:{count}:90:%s:%s:tester:{1795262400 + version}"


def lines(*numbers):
    return b"".join(b"Test.Body%d:0:*:%s\n" % (n, (b"test body number %d" % n).hex().encode()) for n in numbers)


first = {"sample.ndb": lines(1, 2, 3, 4, 5), "sample.old": b"Test.One\nTest.Two\nTest.Three\n", "sample.ign2": b"Test.Ignored\n"}
second = {"sample.ndb": lines(1, 7, 3, 5, 8, 9), "sample.old": first["sample.old"], "sample.ign2": first["sample.ign2"]}
third = {"sample.ndb": second["sample.ndb"], "sample.old": b"Test.Three\n", "sample.ign2": b"Test.Ignored\nTest.One\nTest.Two\n",
         "sample.hdb": b"44d88612fea8a8f36de82e1278abb02f:68:Test.Eicar\n"}
information = [publisher.info(fields(v, c), f) for v, c, f in [(1, 5, first), (2, 6, second), (3, 7, third)]]
scripts = [
    changes("sample.info", information[0], information[1])
    + b"OPEN sample.ndb\nXCHG 2 Test.Body2:0 " + lines(7).rstrip()
    + b"\nDEL 4 Test.Body4\n" + b"".join(b"ADD " + line + b"\n" for line in lines(8, 9).splitlines()) + b"CLOSE\n",
    changes("sample.info", information[1], information[2])
    + b"MOVE sample.old sample.ign2 1 Test.One 2 Test.Two\nOPEN sample.hdb\nADD 44d88612fea8a8f36de82e1278abb02f:68:Test.Eicar\nCLOSE\n",
]
for version, count, files in [(1, 5, first), (3, 7, third)]:
    # Signed anew: PSS has salt, so the .info of the scripts and of the container must be one.
    publisher.info = lambda fields, files, text=information[version - 1]: text
    with open(os.path.join(here, f"sample-{version}.cvd"), "wb") as out:
        out.write(publisher.cvd("sample", fields(version, count), files))
for version, script in zip((2, 3), scripts):
    with open(os.path.join(here, f"sample-{version}.cdiff"), "wb") as out:
        out.write(publisher.cdiff(version, script))
publisher.print_numbers()
