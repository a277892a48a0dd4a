// Makes the pictures of docs/issue-file.md: `node tests/mails/docs.mjs BINARY ISSUE.md OUT_DIR`. One picture for what
// stands above the first section of the issue, and one for each section, named after its heading.
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { launch } from "../support/browser.mjs";
import { open } from "./camera.mjs";
import { render } from "./letter.mjs";

const [binary, issue, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const mail = render(resolve(binary), issue, "magazine");
const browser = await launch();
const { page } = await open(browser, mail.html, { width: 600, mode: "light" });
const cuts = await page.evaluate(cutsOf);
for (const { name, y, height } of cuts) {
  const path = join(out, `${name}.png`);
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y, width: 600, height } });
  console.log(`${path}, ${Math.ceil(readFileSync(path).length / 1024)} KB`);
}
await browser.close();
mail.done();

/** Runs in the page: from where to where each picture goes. The last one ends above the footer. */
function cutsOf() {
  const top = (element) => Math.floor(element.getBoundingClientRect().top + window.scrollY);
  const words = (element) => element.textContent.toLowerCase().match(/[a-z]+/g).join("-");
  const heads = [...document.querySelectorAll("h2[id]")].map((h) => ({ name: words(h), from: top(h) - 12 }));
  const footer = [...document.querySelectorAll("div, td, p")].filter((e) => /^You get /.test(e.textContent.trim())).pop();
  const ends = [...heads.map((head) => head.from), top(footer) - 30];
  return [{ name: "head", from: 0 }, ...heads].map(({ name, from }, at) => ({ name, y: from, height: ends[at] - from }));
}
