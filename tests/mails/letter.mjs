// A letter's folder for each theme, and the issue as the program renders it there.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

export const THEMES = ["magazine", "quiet"];

/** The largest HTML that Gmail shows whole. */
export const CUT_BYTES = 102 * 1024;

const settings = (theme) => `
[list.weekly]
name = "Akira's Machine Learning News"
from = "Akira <akira@letters.example>"
theme = "${theme}"
postal_address = "Example Street 1, 12345 Example"
`;

/** Renders an issue in a theme; gives the folder with its four files and pictures, to be removed by `done`. */
export function render(binary, issue, theme) {
  const box = mkdtempSync(join(tmpdir(), "letterpress-mail-"));
  const issues = join(box, "issues");
  mkdirSync(issues);
  cpSync(dirname(resolve(issue)), issues, { recursive: true });
  writeFileSync(join(box, "letterpress.toml"), settings(theme));
  execFileSync(binary, ["render", join("issues", basename(issue)), "--out", "out"], {
    cwd: box,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const out = join(box, "out");
  return {
    html: join(out, "issue.html"),
    bytes: readFileSync(join(out, "issue.html")).length,
    mjml: readFileSync(join(out, "issue.mjml"), "utf8"),
    done: () => rmSync(box, { recursive: true, force: true }),
  };
}
