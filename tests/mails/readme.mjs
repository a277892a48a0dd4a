// Makes the README's picture: `node tests/mails/readme.mjs BINARY ISSUE.md OUT.png`. The head of the letter as the
// program renders it, wide and light beside narrow and dark.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { launch } from "../support/browser.mjs";
import { open } from "./camera.mjs";
import { render } from "./letter.mjs";

const [binary, issue, out] = process.argv.slice(2);
const HEIGHT = 700;
const GAP = 24;
const SCALE = 1;

const mail = render(resolve(binary), issue, "magazine");
const browser = await launch();
const shots = [];
for (const view of [{ width: 600, mode: "light" }, { width: 375, mode: "dark" }]) {
  const { page } = await open(browser, mail.html, view, { scale: SCALE });
  const clip = { x: 0, y: 0, width: view.width, height: HEIGHT };
  shots.push({ ...view, png: (await page.screenshot({ clip })).toString("base64") });
  await page.close();
}
const width = shots.reduce((sum, shot) => sum + shot.width, 0) + GAP * (shots.length + 1);
const page = await browser.newPage({ viewport: { width, height: HEIGHT + 2 * GAP }, deviceScaleFactor: SCALE });
const images = shots.map((s) => `<img width="${s.width}" height="${HEIGHT}" src="data:image/png;base64,${s.png}">`);
await page.setContent(`<body style="margin:0;padding:${GAP}px;display:flex;gap:${GAP}px;background:#EAE3D6">${images.join("")}`);
await page.screenshot({ path: out });
await browser.close();
mail.done();
console.log(`${out}, ${Math.ceil(readFileSync(out).length / 1024)} KB`);
