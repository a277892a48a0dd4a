"""Postfix's smtp-sink, which takes every mail and throws it away, and smtp-source, which sends bare ones."""
import itertools
import os
import random
import socket
import subprocess
import time

from rig import machine

SENDER = "news@letters.example"


def free_port():
    """A free port of loopback, below the range from which the system picks ports for connections."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def until(condition, seconds, what):
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def answers(port):
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Sink:
    """One smtp-sink on loopback, for as long as the `with` lasts."""

    def __init__(self, *options):
        self.port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.command = ["smtp-sink", *user, "-m", "1000", *options, f"127.0.0.1:{self.port}", "1024"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: answers(self.port), 10, "smtp-sink to listen")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu(self):
        return machine.cpu_of(self.process.pid).total


def one_mail(folder, send):
    """The bytes of a single mail as they come over the wire; `send` gets the port and sends it."""
    folder.mkdir()
    folder.chmod(0o777)  # the sink has laid down its rights
    with Sink("-d", f"{folder}/mail.") as sink:
        send(sink.port)
        until(lambda: any(folder.iterdir()), 20, "the mail to arrive")
        time.sleep(0.2)
    dump = min(folder.iterdir()).read_bytes()
    # The sink puts what it knows of the session first, the last of it a Received field, and writes LF for CRLF.
    lines = iter(dump.split(b"\n"))
    mail = itertools.dropwhile(lambda line: line.startswith((b"X-", b"Received:", b"\t")), lines)
    return b"\r\n".join(mail)


def source(port, mails, size, connections=8):
    """smtp-source: bare messages over kept connections."""
    return machine.run(["smtp-source", "-d", "-s", connections, "-m", mails, "-l", size, "-f", SENDER,
                        "-t", "reader@readers.example", f"127.0.0.1:{port}"])
