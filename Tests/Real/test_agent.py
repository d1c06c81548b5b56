"""esets_smtp between a client and a server: extensions, policies of users, what becomes of messages, and their marks."""

import base64
import os
import re
import subprocess

from harness import (
    EICAR, EXTENSIONS, GTUBE, Client, Peak, Sink, Tree, attachment, check, deliver, finish, memory, message, zipped)

PORT, NEXT = 2526, 2525
# The special configuration of the guide, 7.2 and 7.3, word for word; the addresses are the guide's.
GUIDE = """
[rcptuser@rcptdomain.com]
action_av = "reject"

[black-list]
action_av = "reject"

[|sndrname1@sndrdomain1.com]
parent_id = "black-list"

[white-list]
action_av = "accept"
action_as = "accept"

[|friend@partner.example]
parent_id = "white-list"
"""
ACTIONS = ("accept", "defer", "discard", "reject")
CODES = {"accept": 250, "defer": 451, "discard": 250, "reject": 550}


def sections():
    """A user section for each combination, so that each recipient has a configuration of its own."""
    lines = [GUIDE]

    def section(name, *values):
        lines.extend([f"[{name}@t.example]", *values, ""])
    for action in ACTIONS:
        section(f"av-{action}", f'action_av = "{action}"')
        section(f"infected-{action}", f'action_av_infected = "{action}"', 'av_clean_mode = "none"')
        section(f"deleted-{action}", f'action_av_deleted = "{action}"')
        section(f"notscanned-{action}", f'action_av_notscanned = "{action}"')
    for action in (*ACTIONS, "scan"):
        section(f"as-{action}", f'action_as = "{action}"')
    for mode in ("none", "standard", "strict", "rigorous", "delete"):
        section(f"clean-{mode}", f'av_clean_mode = "{mode}"')
    section("tag", 'action_as = "scan"', 'as_eml_subject_template = "[%asstatus%]"', 'as_eml_header_modification = "yes"')
    section("foot", 'av_eml_footnote_modification = "yes"', 'av_eml_footnote_template = "checked: %avstatus%"')
    section("subject", 'av_eml_subject_template = "[%avstatus% %virus%]"', 'action_av_infected = "accept"', 'av_clean_mode = "none"')
    section("kept", "av_quarantine_enabled = yes", 'action_av_infected = "discard"', 'av_clean_mode = "none"')
    section("unmarked", 'av_eml_header_modification = "no"')
    return "\n".join(lines)


tree = Tree(
    smtp={"listen_addr": '"localhost"', "listen_port": PORT, "server_addr": '"localhost"', "server_port": NEXT,
          "action_av": '"scan"', "user_config": '"esets_smtp_spec.cfg"'})
with open(f"{tree.etc}/esets_smtp_spec.cfg", "w") as file:
    file.write(sections())
sink = Sink(NEXT, extensions=(*EXTENSIONS, "ENHANCEDSTATUSCODES", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"))


def send(content, to, sender=b"alice@example.org"):
    """The last reply, and what arrived."""
    sink.clear()
    reply = deliver(PORT, content, sender=sender, recipients=(to if isinstance(to, bytes) else f"{to}@t.example".encode(),))
    return reply, [text for _, _, text in sink.messages]


def outcome(what, action, reply, arrived):
    check(
        reply[0] == CODES[action] and len(arrived) == (action == "accept"),
        f"{what} = {action}: {reply[0]}, {len(arrived)} arrived")


def guide():
    print("the guide's special configuration, word for word")
    reply, arrived = send(message(), b"rcptuser@rcptdomain.com")
    check(reply[0] == 550 and not arrived, "7.2: mail to rcptuser@rcptdomain.com is rejected")
    reply, arrived = send(message(), b"other@rcptdomain.com")
    check(reply[0] == 250 and len(arrived) == 1, "and to others it is not")
    reply, arrived = send(message(), b"bob@example.org", sender=b"sndrname1@sndrdomain1.com")
    check(reply[0] == 550 and not arrived, "7.3: the black list")
    reply, arrived = send(attachment(EICAR), b"bob@example.org", sender=b"friend@partner.example")
    check(reply[0] == 250 and len(arrived) == 1, "7.3: the white list")
    reply, arrived = send(message(), b"black-list", sender=b"black-list")
    check(reply[0] == 250, "a group is nobody's address")


def actions():
    print("actions")
    encrypted = bytearray(zipped(b"secret", "a.txt"))
    encrypted[6] |= 1
    encrypted[encrypted.rfind(b"PK\x01\x02") + 8] |= 1
    for action in ACTIONS:
        outcome("action_av", action, *send(message(), f"av-{action}"))
        outcome("action_av_infected", action, *send(attachment(zipped(EICAR)), f"infected-{action}"))
        outcome("action_av_deleted", action, *send(attachment(EICAR), f"deleted-{action}"))
        outcome("action_av_notscanned", action, *send(attachment(bytes(encrypted), "a.zip"), f"notscanned-{action}"))
        outcome("action_as", action, *send(message(GTUBE + b"\r\n"), f"as-{action}"))
        outcome("action_as on other mail", "accept", *send(message(), f"as-{action}"))
    outcome("action_as = scan: GTUBE", "accept", *send(message(GTUBE + b"\r\n"), "as-scan"))
    both = attachment(EICAR + b" " + GTUBE).replace(b"See the attachment.", GTUBE).replace(b"MIME-Version", b"X-A: b\r\nMIME-Version")
    reply, arrived = send(both, "as-accept")
    check(reply[0] == 250 and arrived, "spam that is accepted is delivered without a virus scan, as the guide says")
    reply, arrived = send(zip_message(both), "as-scan")
    check(reply[0] == 550, f"with scan it is not: {reply[0]}")
    check(send(attachment(zipped(EICAR)), "plain")[0][0] == 550, "without a section infected mail is rejected")


def zip_message(content):
    """The same message with the attachment in a zip, which standard cleaning leaves alone."""
    return content.replace(content[content.index(b"WDVP"):content.index(b"--b--")], base64.encodebytes(
        zipped(EICAR)).replace(b"\n", b"\r\n"))


def marks():
    print("marks")
    reply, (text,) = send(message(subject=b"Plain"), "plain")
    check(text.startswith(b"X-Virus-Scanner:"), "X-Virus-Scanner is the first field")
    check(b"X-EsetsResult: clean" in text, "X-EsetsResult")
    check(b"\r\nSubject: Plain\r\n" in text, "the subject of clean mail stays")
    reply, (text,) = send(message(), "unmarked")
    check(b"X-Virus-Scanner" not in text and b"X-Esets" not in text, "av_eml_header_modification = no")
    original = message()
    reply, (text,) = send(original, "unmarked")
    check(text == original, "and then not a byte changes")
    reply, (text,) = send(message(GTUBE + b"\r\n", subject=b"Win"), "tag")
    check(b"\r\nSubject: [SPAM] Win\r\n" in text, "the guide's subject template [%asstatus%]")
    check(b"X-Esets-Antispam: SPAM" in text and re.search(rb"X-Esets-AS: R=SPAM;S=\d+", text), "antispam fields")
    forged = message(extra=b"X-Esets-Antispam: OK\r\nX-EsetsResult: clean, forged\r\nX-Virus-Scanner: esets\r\n")
    reply, (text,) = send(forged, "plain")
    check(b"forged" not in text and b"X-Esets-Antispam" not in text, "fields that a sender forged are removed")
    reply, (text,) = send(message(b"Hello.\r\n"), "foot")
    check(text.rstrip().endswith(b"checked: clean") and b"Hello.\r\n" in text, "a footnote")
    html = message(b"<html><body><p>Hi</p></body></html>\r\n", content_type=b"text/html; charset=us-ascii")
    reply, (text,) = send(html, "foot")
    check(0 < text.find(b"checked: clean") < text.find(b"</body>"), "a footnote in HTML, before </body>")
    signed = message(
        b"--s\r\nContent-Type: text/plain\r\n\r\nSigned.\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n",
        content_type=b'multipart/signed; boundary=s; protocol="application/pgp-signature"; micalg=pgp-sha256')
    reply, (text,) = send(signed, "foot")
    check(b"checked: clean" not in text.split(b"\r\n\r\n", 1)[1], "nothing inside signed mail is changed")
    reply, (text,) = send(attachment(zipped(EICAR)), "subject")
    check(re.search(rb"\r\nSubject: \[infected \S*Eicar\S*\] Test\r\n", text, re.I), "%avstatus% and %virus% in a subject")


def cleaning():
    print("cleaning")
    encoded = b"WDVPIVAlQEFQ"
    for mode, direct, archived, itself in (
            ("none", 550, 550, 550), ("standard", 250, 550, 550), ("strict", 250, 250, 550), ("rigorous", 250, 250, 250),
            ("delete", 250, 250, 250)):
        reply, arrived = send(attachment(EICAR, "bad.com"), f"clean-{mode}")
        check(reply[0] == direct, f"{mode}: an attachment: {reply[0]}")
        if arrived:
            check(encoded not in arrived[0] and EICAR not in arrived[0], f"{mode}: it is gone")
            if mode != "delete":
                check(b"See the attachment." in arrived[0] and b"bad.com" in arrived[0], f"{mode}: the text stays, a notice names it")
            check(b"Subject: [clean (deleted)] Test" in arrived[0], f"{mode}: the subject tells")
        reply, arrived = send(attachment(zipped(EICAR), "bad.zip"), f"clean-{mode}")
        check(reply[0] == archived, f"{mode}: an archive: {reply[0]}")
        if arrived:
            check(b"UEsDB" not in arrived[0], f"{mode}: it is gone")
        reply, arrived = send(message(EICAR), f"clean-{mode}")
        check(reply[0] == itself, f"{mode}: the message itself: {reply[0]}")
        if arrived:
            check(EICAR not in arrived[0], f"{mode}: its text is gone")


def quarantine():
    print("quarantine")
    place = f"{tree.cache}/quarantine"
    original = attachment(zipped(EICAR))
    reply, arrived = send(original, "kept")
    check(reply[0] == 250 and not arrived, "discarded")
    names = os.listdir(place)
    check(len([n for n in names if n.endswith(".dat")]) == 1, f"one message is kept: {names}")
    info = next(n for n in names if n.endswith(".inf"))
    with open(f"{place}/{info}") as file:
        text = file.read()
    check("kept@t.example" in text and "alice@example.org" in text and "icar" in text.lower(), "from, to and virus are recorded")
    check(all(os.stat(f"{place}/{n}").st_mode & 0o077 == 0 for n in names), "for nobody else to read")
    with open(f"{place}/{info[:-4]}.dat", "rb") as file:
        kept = file.read()
    check(len(kept) >= len(original) and original not in kept, "whole and masked")


def extensions():
    print("extensions")
    client = Client(PORT)
    code, text = client.hello()
    offered = {line[4:].split()[0].upper() for line in text.decode().splitlines()[1:]}
    check({"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "XFORWARD"} <= offered, f"offered: {sorted(offered)}")
    check(not offered & {"CHUNKING", "BINARYMIME", "STARTTLS", "XCLIENT", "ETRN", "AUTH"}, "and nothing that is not there")

    sink.clear()
    check(client.command(b"XFORWARD NAME=mail.far.example ADDR=192.0.2.77 HELO=far.example PROTO=ESMTP")[0] == 250, "XFORWARD")
    envelope = (
        b"MAIL FROM:<alice@example.org> SIZE=2000 BODY=8BITMIME RET=HDRS ENVID=QQ314159",
        b"RCPT TO:<bob@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.org")
    for line in envelope:
        check(client.command(line)[0] == 250, line.decode())
    client.command(b"DATA")
    client.socket.sendall(message() + b".\r\n")
    check(client.reply()[0] == 250, "delivered")
    check(any("ADDR=192.0.2.77" in c for c in sink.commands), "XFORWARD goes on to the server")
    mail = next(c for c in sink.commands if c.startswith("MAIL"))
    rcpt = next(c for c in sink.commands if c.startswith("RCPT"))
    check("RET=HDRS" in mail and "ENVID=QQ314159" in mail and "BODY=8BITMIME" in mail, f"DSN parameters: {mail}")
    check("NOTIFY=SUCCESS,DELAY" in rcpt and "ORCPT=rfc822;bob@example.org" in rcpt, f"and {rcpt}")

    sink.clear()
    check(client.command("MAIL FROM:<älice@exämple.org> SMTPUTF8".encode())[0] == 250, "SMTPUTF8: MAIL")
    check(client.command("RCPT TO:<böb@exämple.org>".encode())[0] == 250, "SMTPUTF8: RCPT")
    client.command(b"DATA")
    client.socket.sendall(message(subject="Grüße".encode()) + b".\r\n")
    check(client.reply()[0] == 250 and "Grüße".encode() in sink.messages[-1][2], "SMTPUTF8: delivered")
    check("SMTPUTF8" in sink.messages[-1][0] and "böb@exämple.org" in sink.messages[-1][1][0], "SMTPUTF8: the envelope")

    # PIPELINING: everything at once, two messages; the replies come in order.
    sink.clear()
    one = b"MAIL FROM:<p@example.org>\r\nRCPT TO:<q@example.org>\r\nDATA\r\n"
    client.socket.sendall(one + message(b"first\r\n") + b".\r\n" + one + message(b"second\r\n") + b".\r\nNOOP\r\n")
    codes = [client.reply()[0] for _ in range(9)]
    check(codes == [250, 250, 354, 250, 250, 250, 354, 250, 250], f"PIPELINING: {codes}")
    check([b"first" in m[2] for m in sink.messages] == [True, False], "both messages arrived, in order")
    check(client.command(b"RCPT TO:<x@example.org>")[0] == 503, "RCPT without MAIL: 503")
    check(client.command(b"DATA")[0] == 503, "DATA without MAIL: 503")
    # The octets come without waiting for a reply; they must not be taken for commands.
    client.socket.sendall(b"BDAT 6 LAST\r\nRSET\r\n")
    check(client.reply()[0] in (500, 502, 503), "BDAT is not offered, and refused")
    check(client.command(b"NOOP")[0] == 250, "its octets are swallowed")
    check(client.command(b"QUIT")[0] == 221, "QUIT")
    client.close()

    client = Client(PORT)
    client.hello()
    check(client.command(b"MAIL FROM:<a@example.org> SIZE=999999999999")[0] == 552, "SIZE: too large by its own word: 552")
    client.close()


def recipients():
    print("recipients with different policies")
    client = Client(PORT)
    client.hello()
    client.command(b"MAIL FROM:<a@example.org>")
    check(client.command(b"RCPT TO:<bob@example.org>")[0] == 250, "the first recipient")
    check(client.command(b"RCPT TO:<carl@example.org>")[0] == 250, "another one with the same policy")
    code, text = client.command(b"RCPT TO:<rcptuser@rcptdomain.com>")
    check(code == 452 and b"4.5.3" in text, f"one with another policy: {code}")
    check(client.command(b"RCPT TO:<dora@example.org>")[0] == 250, "and the next one is taken")
    sink.clear()
    client.command(b"DATA")
    client.socket.sendall(message() + b".\r\n")
    check(client.reply()[0] == 250 and len(sink.messages[0][1]) == 3, "three recipients have the message")
    check(client.send(message(), recipients=(b"rcptuser@rcptdomain.com",))[-1][0] == 550, "the fourth has its own policy")
    client.close()


def reload():
    print("SIGHUP while a session is open")
    agents = tree.processes("esets_smtp")
    before = Client(PORT)
    before.hello()
    before.command(b"MAIL FROM:<a@example.org>")
    before.command(b"RCPT TO:<bob@example.org>")
    tree.set("smtp", 'action_av = "reject"')
    tree.reload()
    before.command(b"DATA")
    sink.clear()
    before.socket.sendall(message() + b".\r\n")
    check(before.reply()[0] == 250 and len(sink.messages) == 1, "the open session goes on as it began")
    check(deliver(PORT, message())[0] == 550, "a new session has the new configuration")
    tree.set("smtp", 'action_av = "scan"')
    tree.reload()
    check(before.command(b"NOOP")[0] == 250, "the old session still lives")
    before.close()
    check(deliver(PORT, message())[0] == 250, "and back")
    check(tree.processes("esets_smtp") == agents, "no agent was restarted")


def large():
    print("a large message")
    agent = tree.processes("esets_smtp")
    block = os.urandom(45 * 1000)
    lines = base64.encodebytes(block).replace(b"\n", b"\r\n")
    body = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines * (60_000_000 // len(lines)) + b"--b--\r\n"
    content = message(body, content_type=b"multipart/mixed; boundary=b")
    before = memory(agent[0])
    with Peak(agent) as peak:
        reply, arrived = send(content, "unmarked")
    check(reply[0] == 250 and arrived == [content], f"{len(content):,} bytes go through unchanged: {reply[0]}")
    check(peak.bytes - before < 24 << 20, f"the agent's memory grew by {(peak.bytes - before) >> 10:,} KiB")
    check(os.listdir(f"{tree.cache}/spool") == [], "nothing is left in the spool")
    arrived.clear()
    tree.set("smtp", "max_message_size = 1000000")
    tree.reload()
    client = Client(PORT)
    check(b"SIZE 1000000" in client.hello()[1], "max_message_size is announced")
    sink.clear()
    check(client.send(content[:3_000_000])[-1][0] == 552, "a message that is larger: 552")
    check(client.send(message())[-1][0] == 250 and len(sink.messages) == 1, "and the session goes on")
    client.close()
    tree.set("smtp", "max_message_size")
    tree.reload()


def tls():
    global sink
    print("STARTTLS on both sides")
    chain, key = f"{tree.root}/cert.pem", f"{tree.root}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", key, "-out", chain], check=True, capture_output=True)
    os.chmod(key, 0o644)
    tree.set("smtp", f'tls_cert_file = "{chain}"')
    tree.set("smtp", f'tls_key_file = "{key}"')
    tree.set("smtp", 'tls_server = "encrypt"')
    tree.reload()
    client = Client(PORT)
    client.reply()
    code, text = client.command(b"EHLO test.example.org")
    check(code >= 400 or code == 0, f"tls_server = encrypt, but the server has none: {code}")
    client.close()
    check(deliver(PORT, message())[0] in (0, 421, 451, 503), "nothing is delivered in clear text")

    sink.close()
    sink = Sink(NEXT, certificate=(chain, key))
    client = Client(PORT)
    check(b"STARTTLS" in client.hello()[1], "STARTTLS is offered")
    check(client.secure()[0] == 220, "STARTTLS")
    code, text = client.command(b"EHLO test.example.org")
    check(code == 250 and b"STARTTLS" not in text, "EHLO again")
    check(client.send(message(b"over TLS\r\n"))[-1][0] == 250, "a message over TLS")
    check(len(sink.messages) == 1 and sink.encrypted == 1, "and on over TLS")
    large = message(base64.encodebytes(os.urandom(2_000_000)).replace(b"\n", b"\r\n"))
    check(client.send(large)[-1][0] == 250 and sink.messages[-1][2].endswith(large[-1000:]), "a large one too")
    check(client.send(attachment(zipped(EICAR)))[-1][0] == 550, "an infected one is rejected")
    client.close()
    # A command behind STARTTLS in clear text: somebody put it there.
    client = Client(PORT)
    client.hello()
    client.socket.sendall(b"STARTTLS\r\nMAIL FROM:<injected@example.org>\r\n")
    replies = [client.reply()[0]]
    check(
        replies[0] in (421, 503) or client.file.readline() == b"", f"clear text behind STARTTLS ends the session: {replies}")
    check(not any("injected" in c for c in sink.commands), "and is never obeyed")
    client.close()
    for name in ("tls_cert_file", "tls_key_file", "tls_server"):
        tree.set("smtp", name)
    tree.reload()
    check(deliver(PORT, message())[0] == 250, "without TLS again")


try:
    tree.start()
    for step in (guide, actions, marks, cleaning, quarantine, extensions, recipients, reload, large, tls):
        step()
    counters = tree.status()
    check(int(counters.get("Crashes", "0")) == 0, "no scanning process crashed")
    check(len(tree.processes("esets_smtp")) == 1, "the agent lives")
finally:
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
finish()
