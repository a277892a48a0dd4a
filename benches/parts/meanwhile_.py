"""How long pages and commands take while an audience of a million is written down and mailed, and while nothing goes."""
import itertools
import json
import re
import statistics
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from rig import table
from rig.letter import Letter, fitted
from rig.sink import Sink, one_mail, until

# A network may post to the form twenty times a minute.
FORM_EVERY_S = 3.2
BREATH_S = 0.05
SLOWEST_S = 1.0


def run(bench):
    people, seconds = bench.pick((100_000, 20), (1_000_000, 120))
    sentences, _ = fitted(bench)
    with Sink() as sink:
        letter = Letter(bench, "meanwhile", sink.port)
        looks = Looks(letter, way_out(bench, letter, sentences))
        letter.settings(sink.port)
        letter.people(people)
        issue = letter.issue(sentences)
        with letter:
            quiet = looks.during(seconds / 4)
            looks.issue = "002"
            queued = threading.Thread(target=letter, args=("send", issue, "--yes", "--force"))
            began = time.monotonic()
            queued.start()
            until(lambda: looks.knows("002"), 60, "the issue to be queued")
            busy = looks.during(seconds)
            queued.join()
            rate = sent(letter) / (time.monotonic() - began)
    print(f"{people:,} people; the looks begin as the issue is queued and go on for {seconds} s, in which "
          f"{rate:,.0f} mails a second went out, the writing of the audience included")
    show(bench, quiet, busy)


def way_out(bench, letter, sentences):
    """The one-click address of a reader, out of a mail."""
    def send(port):
        letter.settings(port)
        letter.people(1)
        with letter:
            letter.send(sentences, within=30)
    mail = one_mail(bench.scratch / "meanwhile-mail", send).replace(b"\r\n ", b"").decode("utf-8", "replace")
    return re.search(r"^List-Unsubscribe:.*?<(http[^>]*)>", mail, re.MULTILINE | re.IGNORECASE)[1]


def sent(letter):
    """What has gone out of the newest issue, as the program tells it."""
    return json.loads(letter("deliveries", "--json").stdout.splitlines()[-1])["sent"]


class Looks:
    """What people and commands ask for in the meantime, each timed."""

    def __init__(self, letter, way_out):
        self.letter, self.numbers = letter, itertools.count()
        self.form_next = 0.0
        self.issue = "001"
        self.all = {
            "GET /subscribe": lambda: self.page("/subscribe"),
            "POST /subscribe": self.sign_up,
            "GET /unsubscribe": lambda: self.page(way_out),
            "POST /unsubscribe, one click": lambda: self.page(way_out, {"List-Unsubscribe": "One-Click"}),
            "letterpress deliveries": lambda: self.command("deliveries", "--json"),
            "letterpress deliveries N --state failed": lambda: self.command("deliveries", self.issue, "--state", "failed"),
            "letterpress subscribers show": lambda: self.command("subscribers", "show", "reader7@readers7.example", "--json"),
            "letterpress subscribers add": lambda: self.command("subscribers", "add", f"new{next(self.numbers)}@late.example"),
        }

    def during(self, seconds):
        """Asks for everything in turn, until that time is over; gives the seconds of each by name."""
        took = {name: [] for name in self.all}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name, look in self.all.items():
                began = time.monotonic()
                if look() is not False:
                    took[name].append(time.monotonic() - began)
                time.sleep(BREATH_S)
        return took

    def knows(self, issue):
        """Whether an issue is queued."""
        shown = self.letter("deliveries", "--json").stdout
        return any(json.loads(line)["issue"] == issue for line in shown.splitlines())

    def page(self, address, fields=None):
        url = urllib.parse.urljoin(f"http://127.0.0.1:{self.letter.web}", address)
        data = urllib.parse.urlencode(fields).encode() if fields else None
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            answer.read()

    def sign_up(self):
        if time.monotonic() < self.form_next:
            return False
        self.form_next = time.monotonic() + FORM_EVERY_S
        return self.page("/subscribe", {"email": f"guest{next(self.numbers)}@late.example", "list": "weekly"})

    def command(self, *arguments):
        subprocess.run([self.letter.bin, *arguments], cwd=self.letter.dir, env=self.letter.env, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)


def show(bench, quiet, busy):
    def figures(seconds):
        return [len(seconds), *(f"{value * 1e3:.1f}" for value in (statistics.median(seconds), max(seconds)))]
    table.show(["ms", "quiet: looks", "median", "slowest", "meanwhile: looks", "median", "slowest"],
               [[name, *figures(quiet[name]), *figures(busy[name])] for name in busy])
    slowest = max(max(seconds) for seconds in busy.values())
    table.goal("slowest page or command meanwhile, at most a second", slowest, f"{slowest * 1e3:.0f} ms", most=SLOWEST_S)
    bench.keep("meanwhile", {"quiet": quiet, "meanwhile": busy})
