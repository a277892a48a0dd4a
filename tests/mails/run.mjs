// Looks at rendered mails in a real Chromium: `node tests/mails/run.mjs BINARY [--shots DIR] [ISSUE.md…]`.
//
// Each issue in each theme, wide and narrow, light and dark, with and without pictures: axe finds nothing, what is
// to be pressed is high enough, nothing scrolls sideways, nothing is asked of the network, Gmail does not cut it;
// and npm's mjml shows the same words and links of `issue.mjml`. Prints `N passed, N failed`.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import mjml from "mjml";
import { check, count, launch } from "../support/browser.mjs";
import { VIEWS, broken, faults, open, reading } from "./camera.mjs";
import { CUT_BYTES, THEMES, render } from "./letter.mjs";

const { binary, shots, issues } = asked(process.argv.slice(2));
const browser = await launch();
for (const issue of issues) for (const theme of THEMES) await look(issue, theme);
await browser.close();
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed ? 1 : 0;

function asked([binary, ...rest]) {
  if (!binary) {
    console.error("usage: node tests/mails/run.mjs BINARY [--shots DIR] [ISSUE.md…]");
    process.exit(2);
  }
  const at = rest.indexOf("--shots");
  const [, dir] = at < 0 ? [] : rest.splice(at, 2);
  // The examples, and letters that hold whatever an author may write.
  const folders = ["../../examples", "letters"].map((folder) => resolve(import.meta.dirname, folder));
  const all = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const issues = rest.length ? rest : all.filter((file) => file.endsWith(".md"));
  if (dir) mkdirSync(dir, { recursive: true });
  return { binary: resolve(binary), shots: dir && resolve(dir), issues };
}

async function look(issue, theme) {
  const name = `${theme}-${basename(issue, ".md")}`;
  const mail = render(binary, issue, theme);
  await check(`${name} is not cut by Gmail`, async () => {
    assert.ok(mail.bytes < CUT_BYTES, `${mail.bytes} bytes`);
  });
  for (const view of VIEWS) for (const pictures of [true, false]) {
    const picture = `${name}-${view.width}-${view.mode}${pictures ? "" : "-imagesoff"}`;
    await check(`${picture} looks as it must`, async () => {
      const { page, asked } = await open(browser, mail.html, view, { pictures });
      if (shots) await page.screenshot({ path: join(shots, `${picture}.png`), fullPage: true });
      // A title keeps the gutters of its theme on both sides.
      const margin = view.width < 480 ? 20 : { magazine: 30, quiet: 40 }[theme];
      const found = [...(await broken(page, margin)), ...(await faults(page)), ...asked.map((url) => `asks ${url}`)];
      await page.close();
      assert.deepEqual(found, [], found.join("\n"));
    });
  }
  await check(`${name} reads the same by npm's mjml`, () => same(mail));
  mail.done();
}

/** Compares what mrml and our own HTML made with what the reference made of `issue.mjml`. */
async function same(mail) {
  const { html, errors } = await mjml(mail.mjml, { validationLevel: "soft" });
  assert.deepEqual(errors.map((e) => e.formattedMessage), []);
  const theirs = join(dirname(mail.html), "npm.html");
  writeFileSync(theirs, html);
  const read = async (file) => {
    const { page } = await open(browser, file, VIEWS[0]);
    const said = await reading(page);
    await page.close();
    return said;
  };
  assert.deepEqual(await read(theirs), await read(mail.html));
}
