// The program under test, as a newcomer starts it: `demo` in a folder of its own, stopped by its process id.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY = /Read them at (http:\/\/127\.0\.0\.1:\d+)/;
const PATIENCE_MS = 60_000;

/** Starts the demo and waits until its inbox can be read. */
export async function start(binary, subscribers, issue) {
  const box = mkdtempSync(join(tmpdir(), "letterpress-pages-"));
  const dir = join(box, "demo");
  const child = spawn(binary, ["demo", "--dir", dir, "--subscribers", String(subscribers), ...(issue ? ["--issue", issue] : [])], {
    cwd: box,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let said = "";
  const inbox = await new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`the demo did not get ready; it said: ${said}`)), PATIENCE_MS);
    const listen = (chunk) => {
      said += chunk;
      const ready = READY.exec(said);
      if (ready) {
        clearTimeout(late);
        done(ready[1]);
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("error", fail);
    child.on("exit", (code) => fail(new Error(`the demo ended with ${code}; it said: ${said}`)));
  });
  const ended = new Promise((done) => child.on("exit", done));
  return {
    inbox,
    /** Where one subscribes, as the terminal tells it. */
    signUp: () => /Subscribe at (\S+)/.exec(said)?.[1],
    /** Sends the next issue with the command that the terminal names, from another folder; gives the command. */
    sendNext() {
      const command = /Send .* with:\n\s*(.*)/.exec(said)?.[1];
      execFileSync("sh", ["-c", `${command} --yes`], { cwd: tmpdir(), stdio: "ignore" });
      return command;
    },
    /** The state of a person, as the command line tells it. */
    state(email) {
      const out = execFileSync(binary, ["subscribers", "list", "--json"], { cwd: dir, encoding: "utf8" });
      const people = out.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
      return people.find((person) => person.email === email)?.state;
    },
    async stop() {
      child.kill("SIGTERM");
      const code = await ended;
      rmSync(box, { recursive: true, force: true });
      return code;
    },
  };
}
