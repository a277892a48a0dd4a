"""Python's smtplib, a thread and a connection each, sending one letter to many people.

    python3 smtplib_sender.py PORT MAILS CONNECTIONS built|raw LETTER.json

`built`: each mail is composed as an EmailMessage. `raw`: each is joined from the letter's pieces. Prints one
line of JSON: {"mails", "seconds"} from the first acceptance to the last.
"""
import email.message
import itertools
import json
import smtplib
import sys
import threading
import time

port, mails, connections, how, file = sys.argv[1:]
with open(file, encoding="utf-8") as opened:
    letter = json.load(opened)
numbers = itertools.count()
accepted = []


def fill(pieces, person):
    return "".join(piece if isinstance(piece, str) else person[piece["spot"]] for piece in pieces)


def built(person):
    mail = email.message.EmailMessage()
    mail["From"] = letter["from"]
    mail["To"] = f"{person['name']} <{person['email']}>"
    mail["Subject"] = fill(letter["subject"], person)
    mail["List-Unsubscribe"] = f"<{person['url']}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(fill(letter["text"], person))
    mail.add_alternative(fill(letter["html"], person), subtype="html")
    return mail.as_bytes()


def work():
    with smtplib.SMTP("127.0.0.1", int(port)) as connection:
        while (n := next(numbers)) < int(mails):
            person = {"name": f"Reader {n}", "email": f"reader{n}@readers.example", "url": letter["url"] + str(n)}
            content = fill(letter["raw"], person).encode() if how == "raw" else built(person)
            connection.sendmail(letter["sender"], person["email"], content)
            accepted.append(time.monotonic())


threads = [threading.Thread(target=work) for _ in range(int(connections))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if len(accepted) != int(mails):
    sys.exit(f"only {len(accepted)} of {mails} mails were accepted")
print(json.dumps({"mails": len(accepted) - 1, "seconds": max(accepted) - min(accepted)}))
