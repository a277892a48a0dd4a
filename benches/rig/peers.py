"""Other senders, given the same letter: nodemailer's pool, Python's smtplib, PHPMailer, Postfix relaying its own queue."""
import email
import email.policy
import itertools
import json
import os
import re
import subprocess
import sys
import time

from rig import machine, tools
from rig.measure import Sent
from rig.sink import SENDER, answers, free_port, source, until

CONNECTIONS = 8
# Of the one person whose mail is cut into pieces: see letter.people.
NAME, ADDRESS = "Reader 0", "reader0@readers0.example"


def cut(text, url):
    """Text as pieces: strings, and spots that differ from person to person."""
    spots = {NAME: "name", ADDRESS: "email", url: "url"}
    pieces = re.split("(" + "|".join(map(re.escape, spots)) + ")", text)
    return [{"spot": spots[piece]} if piece in spots else piece for piece in pieces if piece]


def letter_json(mail, path):
    """Writes a mail's pieces for the senders in peers/; gives how many personal spots it has."""
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    url = re.search(r"<(https?:[^>]*)>", str(parsed["List-Unsubscribe"])).group(1)
    pieces = {"subject": cut(str(parsed["Subject"]), url)} | {
        part: cut(parsed.get_body((kind,)).get_content(), url) for part, kind in (("text", "plain"), ("html", "html"))}
    fields = cut(f"{parsed['To']} {parsed['List-Unsubscribe']}", url)
    spots = sum(isinstance(piece, dict) for piece in itertools.chain(fields, *pieces.values()))
    letter = pieces | {"raw": cut(mail.decode(), url), "url": url, "sender": SENDER, "from": str(parsed["From"])}
    path.write_text(json.dumps(letter))
    return spots


def script(command, port, mails, how, letter):
    """One of the senders in peers/, which tell of their own time."""
    done = machine.run([*command, port, mails, CONNECTIONS, how, letter])
    told = json.loads(done.stdout)
    return Sent(told["mails"], told["seconds"], done.cpu)


def nodemailer():
    home = tools.npm("peers")
    return ["node", home / "nodemailer.js"]


def smtplib():
    return [sys.executable, tools.HERE / "peers" / "smtplib_sender.py"]


def phpmailer():
    tools.need("php", package="php-cli")
    tools.need_file("/usr/share/php/libphp-phpmailer/autoload.php", package="libphp-phpmailer")
    return ["php", tools.HERE / "peers" / "phpmailer.php"]


def bare(port, mails, size):
    done = source(port, mails, size, CONNECTIONS)
    return Sent(mails, done.seconds, done.cpu)


class Postfix:
    """A Postfix of its own in a folder of its own, which holds what it is given until it is told to relay.

    It has its own settings, queue and master, listens on loopback alone, and is stopped by its master's id.
    """

    def __init__(self, folder, sink_port):
        if os.geteuid():
            raise tools.Missing("Postfix drops its rights by itself and must be started by root; run the rig as root")
        self.dir, self.port, self.sink_port = folder, free_port(), sink_port
        self.log = folder / "log"

    def __enter__(self):
        for name in ("etc", "queue", "data"):
            (self.dir / name).mkdir(parents=True)
        for part in (self.dir, *self.dir.parents[:2]):
            part.chmod(part.stat().st_mode | 0o055)
        subprocess.run(["chown", "postfix", self.dir / "data"], check=True)
        (self.dir / "etc" / "main.cf").write_text(self.settings())
        (self.dir / "etc" / "master.cf").write_text(SERVICES.format(port=self.port))
        self.postfix("postfix", "start")
        until(lambda: answers(self.port), 30, "Postfix to listen")
        self.master = int((self.dir / "queue" / "pid" / "master.pid").read_text())
        return self

    def __exit__(self, *_):
        self.postfix("postfix", "stop")

    def postfix(self, program, *arguments):
        subprocess.run([program, "-c", self.dir / "etc", *arguments], check=True, capture_output=True, text=True)

    def settings(self):
        return f"""compatibility_level = 3.6
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.log}
maillog_file_prefixes = {self.dir}
myhostname = relay.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
disable_dns_lookups = yes
relayhost = [127.0.0.1]:{self.sink_port}
alias_maps =
alias_database =
smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks, reject
initial_destination_concurrency = {CONNECTIONS}
default_destination_concurrency_limit = {CONNECTIONS}
qmgr_message_active_limit = 100000
qmgr_message_recipient_limit = 100000
smtp_connection_reuse_count_limit = 0
smtp_connection_cache_destinations = [127.0.0.1]:{self.sink_port}
"""

    def relay(self, mails, size):
        """Takes that many mails into its queue, then relays them; only the relaying is measured."""
        source(self.port, mails, size)
        queue = self.dir / "queue"
        self.postfix("postsuper", "-H", "ALL")
        self.log.write_text("")
        before = machine.cpu_of_family(self.master)
        began = time.monotonic()
        self.postfix("postqueue", "-f")
        until(lambda: not holds_mail(queue), 600, "Postfix's queue to be empty")
        seconds = time.monotonic() - began
        return Sent(mails, seconds, machine.cpu_of_family(self.master) - before)


def holds_mail(queue):
    """Whether any mail waits in the folders from which Postfix sends."""
    return any(True for folder in ("incoming", "active", "deferred") for path in (queue / folder).rglob("*") if path.is_file())


# Postfix's own services, without chroot: those that taking mail in and relaying it needs.
SERVICES = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
