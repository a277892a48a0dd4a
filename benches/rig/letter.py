"""A letter's folder for the real program: settings, people, issues, the daemon, and what its ledger says."""
import functools
import itertools
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import urllib.request

from rig import machine
from rig.measure import Sent
from rig.sink import SENDER, free_port, one_mail, until

SIZE = 40_000
SPOTS = 22
DOMAINS = 200
# Spots that an issue's source names; the others are the To field, the subject, and links to leave.
NAMED = 8
SENTENCES = (
    "A learning rate that falls along a cosine is kinder to small models than one that falls in steps.",
    "The authors train on a tenth of the tokens and lose less than a hundredth of the score.",
    "What surprised us is how little of this depends on the optimiser, and how much on the order of the data.",
    "Their code is short enough to read in an evening, and it runs on one card.",
    "We would like to see the same curve with a tokenizer that knows more than one language.",
)


class Letter:
    """A folder with one list. `relay` holds further settings of the relay, `more` further lines of the file."""

    def __init__(self, bench, name, port, connections=8, relay="", more="", env=None):
        self.bin, self.dir, self.web = bench.bin, bench.scratch / name, free_port()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("LETTERPRESS")} | {"NO_COLOR": "1"}
        self.daemon_env = self.env | (env or {})
        self.numbers = itertools.count(1)
        self.daemon = None
        (self.dir / "issues").mkdir(parents=True)
        self.settings(port, connections, relay, more)

    def settings(self, port, connections=8, relay="", more=""):
        """Writes the settings; a running daemon has read the former ones."""
        (self.dir / "letterpress.toml").write_text(f'''
[web]
listen = "127.0.0.1:{self.web}"
public_url = "http://127.0.0.1:{self.web}"

[log]
level = "warn"

[relay.main]
host = "127.0.0.1"
port = {port}
tls = "none"
connections = {connections}
messages_per_connection = 1000000
{relay}

[list.weekly]
name = "The Weekly Proof"
from = "The Weekly Proof <{SENDER}>"
theme = "quiet"
postal_address = "1 Case Lane, Letterton"
{more}
''')

    def __call__(self, *arguments, **more):
        """Runs a command in the folder."""
        return machine.run([self.bin, *arguments], cwd=self.dir, env=self.env, **more)

    def people(self, mails):
        """Makes and imports that many people."""
        path = self.dir / "people.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("email,name\n")
            file.writelines(f"reader{n}@readers{n % DOMAINS}.example,Reader {n}\n" for n in range(mails))
        self("subscribers", "import", path, "--list", "weekly", "--yes")
        path.unlink()

    def issue(self, sentences):
        """The next issue's file, of so many sentences."""
        path = self.dir / "issues" / f"{next(self.numbers):03}.md"
        path.write_text(source(sentences), encoding="utf-8")
        return path

    def __enter__(self):
        self.log = (self.dir / "daemon.log").open("ab")
        self.daemon = subprocess.Popen([self.bin, "serve"], cwd=self.dir, env=self.daemon_env,
                                       stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(lambda: self.daemon.poll() is not None or self.healthy(), 30, "the daemon to answer")
        if self.daemon.poll() is not None:
            raise subprocess.CalledProcessError(self.daemon.returncode, "letterpress serve", stderr=self.said())
        return self

    def __exit__(self, *_):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(60)
        self.log.close()

    def healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def said(self):
        return (self.dir / "daemon.log").read_text(errors="replace")[-2000:]

    def send(self, sentences, within=1800):
        """Sends the next issue to everybody and waits; the time is that between first and last acceptance."""
        issue = self.issue(sentences)
        machine.forget_peak(self.daemon.pid)
        before = machine.cpu_of(self.daemon.pid)
        self("send", issue, "--yes", "--wait", "--force", within=within)
        used = machine.cpu_of(self.daemon.pid) - before
        with sqlite3.connect(f"file:{self.dir}/letterpress.db?mode=ro", uri=True) as database:
            planned, first, last, due = database.execute(
                "SELECT count(*), min(at), max(at), (SELECT due_at FROM issue WHERE id = issue_id) FROM delivery "
                "WHERE issue_id = (SELECT max(id) FROM issue) AND state = 2").fetchone()
        database.close()
        return Sent(planned - 1, (last - first) / 1000, used, {
            "mails": planned, "peak_rss": machine.peak_rss(self.daemon.pid), "to_first_s": (first - due) / 1000})

    def database_bytes(self):
        return sum(path.stat().st_size for path in self.dir.glob("letterpress.db*"))


def source(sentences):
    """An issue's Markdown: so many sentences in paragraphs and sections, some of which address the reader."""
    parts = ["# What we read this week\n"]
    for n in range(0, sentences, 5):
        if n % 25 == 0:
            parts.append(f"## On the {n // 25 + 1}. desk\n")
        ours = (n // 5) * NAMED // -(-sentences // 5)
        last = ((n - 5) // 5) * NAMED // -(-sentences // 5) if n else -1
        greeting = '{{ name | default("reader") }}, ' if ours != last else ""
        parts.append(greeting + " ".join(SENTENCES[(n + i) % 5] for i in range(min(5, sentences - n)))
                     + f" [Read it](https://papers.example/{n}).\n")
    head = 'title = "The Weekly Proof"\nsubject = "{{ name | default(\\"Reader\\") }}, what we read this week"\n'
    return f"+++\n{head}+++\n\n" + "\n".join(parts)


@functools.cache
def fitted(bench):
    """How many sentences make a mail of `SIZE`, and that mail as it goes over the wire."""
    sentences, mail = 100, b""
    for attempt in range(6):
        def send(port):
            letter = Letter(bench, f"fit{attempt}", port, connections=1)
            letter.people(1)
            with letter:
                letter.send(sentences, within=30)
        mail = one_mail(bench.scratch / f"mail{attempt}", send)
        if abs(len(mail) - SIZE) < SIZE / 100:
            return sentences, mail
        # What a sentence costs is the same everywhere; the theme around it costs a fixed sum.
        per_sentence = 245 if attempt == 0 else (len(mail) - former[1]) / (sentences - former[0])
        former = (sentences, len(mail))
        sentences = max(5, sentences + round((SIZE - len(mail)) / per_sentence))
    return sentences, mail
