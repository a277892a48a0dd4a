// A real Chromium, and what every page is looked at for: axe in light and dark, wide and narrow; no sideways
// scroll at 320 px; targets that a thumb can hit; nothing asked of any other host; no script, no cookie.
import { mkdirSync } from "node:fs";
import { AXE, launch } from "../support/browser.mjs";

const MODES = ["light", "dark"];
const WIDTHS = [1280, 375];
/** CSS pixels that a button or a link on its own must be high. */
const TARGET = 44;

/** Starts the browser; `complaints` gathers what no page may do. */
export async function open() {
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const complaints = [];
  context.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") complaints.push(`asks ${request.url()}`);
  });
  context.on("console", (message) => {
    // Chromium reports each 4xx page of ours as an error; what else it reports is a fault.
    if (message.type() === "error" && !/Failed to load resource.*status of 4/.test(message.text())) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error().message}`));
  return { browser, context, complaints };
}

/** Everything that is wrong with the page as it stands, in one line each. It is not loaded again. */
export async function faults(page, { shots, name } = {}) {
  const found = await page.evaluate(outline);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width > 700 ? 800 : 900 });
    for (const colorScheme of MODES) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await axe(page)).map((fault) => `${width} ${colorScheme}: ${fault}`));
      if (shots) {
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      }
    }
  }
  found.push(...(await page.evaluate(smallTargets, TARGET)));
  await page.setViewportSize({ width: 320, height: 800 });
  const over = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  if (over > 0) found.push(`scrolls sideways by ${over} px at 320`);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

async function axe(page) {
  // Evaluated through the debugger, so that the page's own strict policy stays in force.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ").slice(0, 300)}`);
}

/** Runs in the page: controls that are too low, links within running text aside. */
function smallTargets(least) {
  const inText = (e) => e.matches("p a, p b a, td a") && e.parentElement.textContent.trim() !== e.textContent.trim();
  return [...document.querySelectorAll("a, button, input:not([type=hidden]), iframe")]
    .filter((e) => e.getClientRects().length > 0 && !inText(e))
    .map((e) => [e, e.getBoundingClientRect().height])
    .filter(([, height]) => height < least - 0.5)
    .map(([e, height]) => `only ${height} px high: ${e.outerHTML.slice(0, 120)}`);
}

/** Runs in the page: what its outline lacks. */
function outline() {
  const count = (selector) => document.querySelectorAll(selector).length;
  const lacks = [];
  for (const [selector, n] of [["h1", 1], ["main", 1], ["script", 0], ["[style]", 0], ["style", 0]]) {
    if (count(selector) !== n) lacks.push(`${count(selector)} × ${selector}, not ${n}`);
  }
  if (!document.title || !document.documentElement.lang) lacks.push("no title, or no lang");
  return lacks;
}
