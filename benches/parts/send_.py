"""Mails a second and a CPU second against smtp-source and peers, and where a mail's time goes."""
from rig import machine, peers, table, tools
from rig.letter import SIZE, SPOTS, Letter, fitted
from rig.measure import alternate, as_rows, median, ratio, spread, turn
from rig.sink import Sink


def run(bench):
    mails = bench.pick(5_000, 20_000)
    sentences, mail = fitted(bench)
    file = bench.scratch / "letter.json"
    spots = peers.letter_json(mail, file)
    print(f"{mails:,} mails of {len(mail):,} bytes with {spots} personal spots (wanted: {SIZE:,} and {SPOTS}),"
          f" {peers.CONNECTIONS} connections, {bench.pairs} turns")
    with Sink() as sink:
        letter = Letter(bench, "send", sink.port, peers.CONNECTIONS)
        letter.people(mails)
        with letter:
            contestants = {
                "smtp-source, bare messages": lambda: turn(sink, lambda: peers.bare(sink.port, mails, len(mail))),
                "Letterpress": lambda: turn(sink, lambda: letter.send(sentences)),
            }
            runs = alternate(bench, contestants)
            main = list(runs)
            runs |= others(bench, sink, mails, len(mail), file)
    show(runs, main)
    bench.keep("send", as_rows(runs))


def others(bench, sink, mails, size, file):
    """The peers, each once a turn; the slow ones send fewer mails, since their rate is even."""
    def script(command, part, how):
        return lambda: turn(sink, lambda: peers.script(command, sink.port, mails // part, how, file))

    contestants = {
        "smtp-source, bare messages, among peers": lambda: turn(sink, lambda: peers.bare(sink.port, mails, size)),
        "nodemailer's pool, mails joined beforehand": script(peers.nodemailer(), 2, "raw"),
        "nodemailer's pool, mails composed": script(peers.nodemailer(), 5, "built"),
        "PHPMailer, mails composed": script(peers.phpmailer(), 5, "built"),
        "Python's smtplib, mails joined beforehand": script(peers.smtplib(), 2, "raw"),
        "Python's smtplib, mails composed": script(peers.smtplib(), 10, "built"),
    }
    pairs = bench.pick(2, 3)
    try:
        with peers.Postfix(bench.scratch / "postfix", sink.port) as postfix:
            contestants["Postfix, its own queue"] = lambda: turn(sink, lambda: postfix.relay(mails // 4, size))
            return alternate(bench, contestants, pairs)
    except tools.Missing as missing:
        bench.say(f"without Postfix: {missing}")
        return alternate(bench, contestants, pairs)


def show(runs, main):
    base, ours = (runs[name] for name in main)
    among_peers = next(turns for name, turns in runs.items() if name.endswith("among peers"))
    rows = []
    for name, turns in runs.items():
        against = base if name in main else among_peers
        rows.append([name, f"{median(turns, lambda r: r.rate):,.0f}", f"{ratio(turns, against):.2f}",
                     f"{median(turns, lambda r: r.per_cpu_second):,.0f}",
                     f"{median(turns, lambda r: r.user):.0f} + {median(turns, lambda r: r.system):.0f}",
                     f"{median(turns, lambda r: r.sink):.0f}", f"{median(turns, lambda r: r.others):.0%}",
                     f"{median(turns, lambda r: r.idle):.0%}"])
    table.show(["sender", "mails/s", "of smtp-source", "mails a CPU s", "µs a mail, user + system", "sink's µs a mail",
                "others", "idle"], rows)
    share, (low, high) = ratio(ours, base), spread(ours, base)
    table.goal("of smtp-source's messages a second, at least 90 %", share, f"{share:.0%} ({low:.0%} to {high:.0%})", least=0.9)
    cpu = median(ours, lambda r: r.per_cpu_second)
    table.goal("mails a CPU second, at least 8,000", cpu, f"{cpu:,.0f}", least=8000)
    budget("Letterpress", ours)
    budget("smtp-source", base)


def budget(name, turns):
    """Where the cores' time of one mail went."""
    whole = median(turns, lambda r: machine.CORES * 1e6 / r.rate)
    print(f"{name}: of {whole:.0f} core-µs a mail, sender {median(turns, lambda r: r.sender):.0f}, "
          f"sink {median(turns, lambda r: r.sink):.0f}, others {whole * median(turns, lambda r: r.others):.0f}, "
          f"idle {whole * median(turns, lambda r: r.idle):.0f}", flush=True)
