"""Postfix -> esets_smtp -> Postfix, by the guide's recipe (10.2): every message arrives exactly once, whatever happens."""

import collections
import os
import re
import signal
import subprocess
import threading
import time

from harness import EICAR, Sink, Tree, attachment, check, finish, message, wait_until, zipped
from postfix import Postfix

COUNT = int(os.environ.get("ESETS_TEST_MESSAGES", "5000"))

tree = Tree(
    smtp={"listen_addr": '"localhost"', "listen_port": 2526, "server_addr": '"localhost"', "server_port": 2525},
    # After the queue a rejection would become a bounce to a forged sender. The canary's comparison of speeds has no
    # meaning on a machine that mail keeps busy.
    options=[("smtp", 'action_av_infected = "discard"'), ("global", "num_proc = 2"), ("global", "av_update_max_slowdown = 0")])
sink = Sink(2500)
postfix = Postfix()


def source(count, file=None, recipient="user@example.net"):
    """smtp-source with a different recipient for each message."""
    command = ["smtp-source", "-s", "10", "-m", str(count), "-N", "-f", "sender@example.org", "-t", recipient]
    command += ["-F", file] if file else ["-l", "4096"]
    return subprocess.Popen([*command, "127.0.0.1:2580"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def run(title, disturb=None, duplicates_allowed=0):
    """COUNT clean messages and some infected ones, while `disturb` does what it does."""
    sink.messages.clear()
    stop = threading.Event()
    worker = threading.Thread(target=disturb, args=(stop,)) if disturb else None
    began = time.monotonic()
    if worker:
        worker.start()
    clean = source(COUNT)
    infected = source(COUNT // 50, file=f"{tree.root}/eicar.eml", recipient="victim@example.net")
    check(clean.wait() == 0 and infected.wait() == 0, f"{title}: smtp-source handed everything over")
    # Let the disturbance go on until the queue is nearly empty.
    wait_until(lambda: postfix.queue() < 50, 240, 0.2)
    stop.set()
    if worker:
        worker.join()
    for _ in range(60):
        if postfix.drain(5):
            break
        postfix.flush()
    check(postfix.queue() == 0, f"{title}: the queue is empty ({postfix.queue()} left)")
    seconds = time.monotonic() - began
    arrived = collections.Counter(recipients[0] for _, recipients, _ in list(sink.messages))
    users = {to: n for to, n in arrived.items() if "user@example.net" in to}
    twice = sum(n - 1 for n in users.values())
    check(len(users) == COUNT, f"{title}: {len(users)} of {COUNT} recipients have their message")
    check(twice <= duplicates_allowed, f"{title}: {twice} messages came twice (allowed: {duplicates_allowed})")
    leaked = [to for to in arrived if "victim" in to]
    check(not leaked, f"{title}: no infected message arrived ({len(leaked)} did)")
    marked = sum(b"X-Virus-Scanner:" in content for _, _, content in sink.messages)
    check(marked == len(sink.messages), f"{title}: {marked} of {len(sink.messages)} bear the scanner's mark")
    print(f"  {title}: {COUNT / seconds:.0f} messages/s end to end", flush=True)


def swap_every_second(stop):
    number = 0
    while not stop.is_set():
        number += 1
        tree.signature(f"Esets-Swap-{number}", f"never in any message {number} {os.urandom(4).hex()}")
        done = tree.update()
        if done.returncode != 0:
            check(False, f"update {number}: {done.stderr.decode().strip()}")
            return
        stop.wait(max(0.0, 1.0))
    check(number > 3, f"{number} swaps while mail was flowing")


def kill_scanners(stop):
    kills = 0
    while not stop.wait(0.2):
        # Those that start are left alone: on a slow machine none would ever scan.
        for pid in tree.ready_scanners()[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    check(kills > 10, f"{kills} scanning processes killed with SIGKILL")


agent_kills = 0


def kill_agent(stop):
    global agent_kills
    while not stop.wait(2.0):
        for pid in tree.processes("esets_smtp"):
            try:
                os.kill(pid, signal.SIGKILL)
                agent_kills += 1
            except ProcessLookupError:
                pass
    check(agent_kills > 2, f"esets_smtp killed {agent_kills} times")


try:
    with open(f"{tree.root}/eicar.eml", "wb") as file:
        file.write(attachment(zipped(EICAR, "document.com"), "document.zip").replace(b"\r\n", b"\n"))
    tree.start()
    postfix.start()
    run("undisturbed")
    generation = tree.status()
    run("a swap every second", swap_every_second)
    run("a scanning process killed every 200 ms", kill_scanners)
    check("crash" not in tree.log_text(), "no message was blamed for a SIGKILL")
    # Between the next hop's 250 and ours a killed agent cannot tell that the message is delivered: SMTP then delivers
    # it again (RFC 5321 4.5.5). Ten sessions are open at a time.
    run("esets_smtp killed every 2 s", kill_agent, duplicates_allowed=10 * 60)
finally:
    postfix.stop()
    if os.environ.get("ESETS_TEST_KEEP"):
        print(tree.root)
        tree.stop()
    else:
        tree.remove()
finish()
