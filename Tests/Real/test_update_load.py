"""Updates one after another while mail flows: no message is lost, held up, or scanned by a mixture of generations."""

import gc
import os
import re
import statistics
import tempfile
import threading
import time

from harness import Client, Sink, Tree, check, finish, wait_until

UPDATES = int(os.environ.get("ESETS_TEST_UPDATES", "60"))
# Every generation has one pair of these texts: finding one and not the other would be a mixture.
LEFT, RIGHT = "left half number {}", "right half number {}"


class Numbers(list):
    """What a sink keeps of messages: how often each number came. A million of them whole would be this test's own pauses."""

    def append(self, message):
        number = int(re.search(rb"^Subject: (\d+)", message[2], re.M).group(1))
        if number >= len(self):
            self.extend([0] * (number + 100_000 - len(self)))
        self[number] += 1


class Nothing(list):
    def append(self, _):
        pass


class Sender(threading.Thread):
    """Sends clean messages as fast as they are taken; keeps how long each took."""

    def __init__(self, port, first=0):
        super().__init__(daemon=True)
        self.port = port
        self.first = first
        self.times = []
        self.slow = []
        self.refused = []
        self.running = True

    def run(self):
        client = None
        while self.running:
            if client is None:
                client = Client(self.port)
                client.hello()
            number = self.first + len(self.times)
            content = b"Subject: %d\r\nFrom: a@example.org\r\n\r\nmessage %d\r\n" % (number, number) + b"text\r\n" * 100
            begin = time.monotonic()
            replies = client.send(content)
            self.times.append(time.monotonic() - begin)
            if self.times[-1] > 0.05:
                self.slow.append((begin, self.times[-1]))
            if replies[-1][0] != 250:
                self.refused.append(replies[-1])
                client.close()
                client = None
        if client:
            client.close()

    def finish(self):
        self.running = False
        self.join(60)
        return self.times


def worst(times):
    """Without the few that the machine held up for reasons of its own: the 99.5th percentile, and the median."""
    ordered = sorted(times)
    return ordered[int(len(ordered) * 0.995)], statistics.median(ordered)


work = tempfile.mkdtemp(prefix="esets-update-load-")
gc.disable()
sink = Sink(2525)
sink.messages, sink.commands = Numbers(), Nothing()
tree = Tree(smtp={"listen_port": 2526, "server_addr": '"127.0.0.1"', "server_port": 2525})
try:
    # The canary's comparison of speeds has no meaning on a machine that mail keeps busy.
    tree.set("global", "av_update_max_slowdown = 0")
    tree.start()

    def memory():
        total = 0
        for pid in tree.scanners():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(("Private_", "Pss_Anon:")))
        return total

    def both_halves(number):
        path = f"{work}/object"
        found = []
        for text in (LEFT.format(number), RIGHT.format(number)):
            with open(path, "w") as out:
                out.write(text)
            found.append(tree.command("esets_scan", "--clean-mode=none", path).returncode)
        return found

    sender = Sender(2526)
    sender.start()
    time.sleep(min(120, max(10, UPDATES / 2)))
    alone = sender.finish()
    sender = Sender(2526, first=len(alone))
    sender.start()
    memories, mixed, failed, steps = [], [], [], []
    for number in range(UPDATES):
        begin = time.monotonic()
        lines = [f"Test.{name}-{number}:0:*:{text.format(number).encode().hex()}\n"
                 for name, text in (("Left", LEFT), ("Right", RIGHT))]
        with open(f"{tree.mirror}/signatures/.new", "w") as out:
            out.writelines(lines)
        os.rename(f"{tree.mirror}/signatures/.new", f"{tree.mirror}/signatures/halves.ndb")
        steps.append((time.monotonic(), number, "update"))
        done = tree.update()
        steps.append((time.monotonic(), number, "after the update"))
        if done.returncode != 0:
            failed.append(done.stderr.decode())
        if number % 10 == 0 and both_halves(number) != [50, 50]:
            mixed.append(number)
        if number % max(1, UPDATES // 10) == 0:
            memories.append(memory())
        time.sleep(max(0, 1 - (time.monotonic() - begin)))
    loaded = sender.finish()
    check(not failed, f"{UPDATES} updates in a row work: {failed[:1]}")
    check(not sender.refused, f"no message is refused: {sender.refused[:1]}")
    count = len(alone) + len(loaded)
    wait_until(lambda: sum(sink.messages) >= count, 20)
    check(sum(sink.messages) == count and sink.messages[:count] == [1] * count,
          f"each of {count} arrived, and none twice: {sum(sink.messages)}")
    check(not mixed, f"both halves of each generation are found: {mixed}")
    (slow, usual), (slow_loaded, usual_loaded) = worst(alone), worst(loaded)
    limit = max(alone) + 0.05
    print(f"  without updates: {len(alone)} messages, median {usual * 1000:.1f} ms, 99.5 % below {slow * 1000:.1f} ms; "
          f"with {UPDATES}: {len(loaded)}, {usual_loaded * 1000:.1f} ms, {slow_loaded * 1000:.1f} ms, "
          f"longest {max(alone) * 1000:.0f} and {max(loaded) * 1000:.0f} ms; "
          f"{sum(1 for seconds in loaded if seconds > limit)} more than 50 ms longer than the longest without")
    for begin, seconds in sender.slow:
        at, number, step = max((step for step in steps if step[0] <= begin), default=(begin, 0, "before"))
        print(f"  {seconds * 1000:.0f} ms: {(begin - at) * 1000:.0f} ms behind the beginning of {step} {number}")
    half = len(memories) // 2
    check(len(memories) < 4 or memories[-1] < memories[half] * 1.1 + 4096, f"memory stays flat: {memories} KB")
finally:
    tree.remove()
    sink.close()
finish()
