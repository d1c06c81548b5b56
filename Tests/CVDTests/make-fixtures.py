#!/usr/bin/env python3
"""Makes the containers in Fixtures/ with keys that are thrown away, and prints the keys' public numbers.

The format is that of docs.clamav.net (CVD header, .info member); needs openssl.
"""
import base64, gzip, hashlib, os, tempfile

from containers import archive, key, pss, run, written

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures")
container, information = key(1024), key(2048)
files = {
    "test.hdb": b"44d88612fea8a8f36de82e1278abb02f:68:Test.Eicar\n",
    "test.ndb": b"Test.Body:0:*:746865207465737420626f6479\n",
    "test.ign2": b"Test.Ignored\n",
}
fields = "ClamAV-VDB:21 Nov 2026 12-00 +0000:7:2:90:%s:%s:tester:1795262400"
info = (fields % ("X", "X")).encode() + b"\n"
for name, content in files.items():
    info += b"%s:%d:%s\n" % (name.encode(), len(content), hashlib.sha256(content).hexdigest().encode())
n, e, d = information
info += b"DSIG:" + written(pss(hashlib.sha256(info).digest(), n, d)).encode() + b"\n"

plain = archive("test", info, files)
packed = gzip.compress(plain, mtime=0)
n, e, d = container
md5 = hashlib.md5(packed).digest()
signature = written(pow(int.from_bytes(md5, "big"), d, n))
with open(os.path.join(here, "test.cvd"), "wb") as f:
    f.write((fields % (md5.hex(), signature)).encode().ljust(512) + packed)
with open(os.path.join(here, "test.cld"), "wb") as f:
    f.write((fields % ("X", "X")).encode().ljust(512) + plain)
with tempfile.TemporaryDirectory() as folder:
    for name in ("signer", "other"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/{name}.key", "-out",
            f"{here}/{name}.crt", "-days", "36500", "-subj", f"/CN=Test {name}")
    der = run("openssl", "cms", "-sign", "-binary", "-in", os.path.join(here, "test.cvd"), "-signer",
              f"{here}/signer.crt", "-inkey", f"{folder}/signer.key", "-outform", "DER")
with open(os.path.join(here, "test-7.cvd.sign"), "wb") as f:
    f.write(b"#clamsign-1.0\n220::pkcs7-pem:" + base64.b64encode(der) + b"\n")
print("container", container[0])
print("information", information[0])
