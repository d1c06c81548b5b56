#!/usr/bin/env python3
"""Makes the containers in Fixtures/ with keys that are thrown away, and prints the keys' public numbers.

The format is that of docs.clamav.net (CVD header, .info member); needs openssl.
"""
import base64, hashlib, io, os, subprocess, tarfile, tempfile, gzip

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"


def run(*arguments, data=None):
    return subprocess.run(arguments, input=data, capture_output=True, check=True).stdout


def key(bits):
    pem = run("openssl", "genrsa", str(bits))
    text = run("openssl", "rsa", "-text", "-noout", data=pem).decode()

    def number(name):
        lines = text.split(name + ":\n")[1].split("\n")
        digits = ""
        for line in lines:
            if not line.startswith("    "):
                break
            digits += line.strip().replace(":", "")
        return int(digits, 16)

    return number("modulus"), 65537, number("privateExponent")


def written(value):
    text = ""
    while value:
        text += LETTERS[value & 63]
        value >>= 6
    return text


def mgf1(seed, length):
    out = b""
    for i in range((length + 31) // 32):
        out += hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
    return out[:length]


def pss(digest, n, d):
    size = 256
    salt = os.urandom(32)
    h = hashlib.sha256(b"\0" * 8 + digest + salt).digest()
    block = b"\0" * (size - 32 - 32 - 2) + b"\1" + salt
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(h, len(block))))
    masked[0] &= 0xFF >> (8 * size - (n.bit_length() - 1))
    return pow(int.from_bytes(bytes(masked) + h + b"\xbc", "big"), d, n)


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


def archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in [("COPYING", b"A licence.\n"), ("test.info", info), *files.items()]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue().rstrip(b"\0") + b"\0" * 1024


plain = archive()
plain += b"\0" * (-len(plain) % 512)
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
