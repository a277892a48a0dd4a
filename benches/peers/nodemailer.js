// nodemailer with its pool, sending one letter to many people.
//
//   node nodemailer.js PORT MAILS CONNECTIONS built|raw LETTER.json
//
// `built`: each mail is composed from its text and HTML, as nodemailer is used every day.
// `raw`: each mail is joined from the letter's pieces beforehand, so that only sending is measured.
// Prints one line of JSON: {"mails", "seconds"} from the first acceptance to the last.
import { readFileSync } from "node:fs";
import nodemailer from "nodemailer";

const [port, mails, connections, how, file] = process.argv.slice(2);
const letter = JSON.parse(readFileSync(file, "utf8"));
const pool = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

const fill = (pieces, person) =>
  pieces.map((piece) => (typeof piece === "string" ? piece : person[piece.spot])).join("");

function mail(person) {
  const envelope = { from: letter.sender, to: person.email };
  if (how === "raw") return { envelope, raw: fill(letter.raw, person) };
  return {
    envelope,
    from: letter.from,
    to: { name: person.name, address: person.email },
    subject: fill(letter.subject, person),
    text: fill(letter.text, person),
    html: fill(letter.html, person),
    list: { unsubscribe: { url: person.url } },
    headers: { "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" },
  };
}

let first, last;
let next = 0;

async function feed() {
  while (next < Number(mails)) {
    const n = next++;
    const person = { name: `Reader ${n}`, email: `reader${n}@readers.example`, url: letter.url + n };
    await pool.sendMail(mail(person));
    last = performance.now();
    first ??= last;
  }
}

// Two askers for each connection, so that none ever waits for the next mail.
await Promise.all(Array.from({ length: 2 * Number(connections) }, feed));
pool.close();
console.log(JSON.stringify({ mails: Number(mails) - 1, seconds: (last - first) / 1000 }));
