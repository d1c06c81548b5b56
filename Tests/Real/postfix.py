"""A private Postfix: the distribution's programs with a configuration, queue and log of their own."""

import os
import pwd
import shutil
import subprocess
import tempfile

from harness import wait_until

# The bi-directional recipe of the guide, chapter 10.2, word for word.
MASTER = """
localhost:2525 inet  n - n - - smtpd
 -o content_filter=
 -o myhostname=esets.yourdomain.com
 -o local_recipient_maps=
 -o relay_recipient_maps=
 -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks
 -o smtpd_helo_restrictions=
 -o smtpd_client_restrictions=
 -o smtpd_sender_restrictions=
 -o smtpd_recipient_restrictions=permit_mynetworks,reject
 -o mynetworks=127.0.0.0/8
"""


class Postfix:
    """Listens on 127.0.0.1:2580, filters through port 2526, hands everything to 127.0.0.1:2500."""

    def __init__(self, content_filter="smtp:[127.0.0.1]:2526", extra=()):
        self.home = tempfile.mkdtemp(prefix="esets-postfix-")
        os.chmod(self.home, 0o755)
        self.etc = f"{self.home}/etc"
        shutil.copytree("/etc/postfix", self.etc, symlinks=True)
        for name in ("spool", "data"):
            os.mkdir(f"{self.home}/{name}")
        os.chown(f"{self.home}/data", pwd.getpwnam("postfix").pw_uid, -1)
        settings = [
            f"queue_directory = {self.home}/spool", f"data_directory = {self.home}/data",
            f"maillog_file = {self.home}/maillog", f"maillog_file_prefixes = {self.home}",
            "compatibility_level = 3.6", "myhostname = mx.example.org", "mydestination =", "relay_domains =",
            "inet_interfaces = loopback-only", "inet_protocols = ipv4", "mynetworks = 127.0.0.0/8",
            "relayhost = [127.0.0.1]:2500", "smtp_dns_support_level = disabled", "smtpd_client_connection_count_limit = 0",
            "disable_dns_lookups = yes", "smtp_host_lookup = native", "smtpd_peername_lookup = no",
            "minimal_backoff_time = 2s", "maximal_backoff_time = 4s", "queue_run_delay = 2s",
            "alias_maps =", "local_recipient_maps =", "smtpd_tls_security_level = none", "smtp_tls_security_level = none",
            "message_size_limit = 52428800", "multi_instance_enable = no", f"content_filter = {content_filter}", *extra,
        ]
        with open(f"{self.etc}/main.cf", "w") as main:
            main.write("\n".join(settings) + "\n")
        with open("/etc/postfix/master.cf") as source:
            lines = [line for line in source if line.strip() and not line.startswith("#")]
        kept, skip = [], False
        for line in lines:
            if line[0].isspace():
                if not skip:
                    kept.append(line)
                continue
            words = line.split()
            skip = words[0] in ("smtp", "submission", "smtps") and words[1] == "inet"
            if not skip:
                words[4] = "n"  # no chroot: this queue directory has no copies of system files
                kept.append(" ".join(words) + "\n")
        kept.append("127.0.0.1:2580 inet n - n - - smtpd\n")
        if not any(line.startswith("postlog") for line in kept):
            kept.append("postlog unix-dgram n - n - 1 postlogd\n")
        with open(f"{self.etc}/master.cf", "w") as master:
            master.writelines(kept)
            master.write(MASTER)

    def start(self):
        done = subprocess.run(["postfix", "-c", self.etc, "start"], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode() + self.log()

    def log(self):
        try:
            with open(f"{self.home}/maillog", errors="replace") as file:
                return file.read()[-4000:]
        except FileNotFoundError:
            return ""

    def queue(self):
        """How many messages wait."""
        count = 0
        for name in ("incoming", "active", "deferred", "maildrop", "hold"):
            for _, _, files in os.walk(f"{self.home}/spool/{name}"):
                count += len(files)
        return count

    def drain(self, seconds):
        return wait_until(lambda: self.queue() == 0, seconds, 0.2)

    def flush(self):
        subprocess.run(["postqueue", "-c", self.etc, "-f"], capture_output=True)

    def stop(self):
        subprocess.run(["postfix", "-c", self.etc, "stop"], capture_output=True, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)
