// Opens mails in a real Chromium as clients of two widths and two modes show them, and looks at them.
import { pathToFileURL } from "node:url";
import { AXE } from "../support/browser.mjs";

/** A mail stands within a client's page, which has the landmarks. */
const RULES = { "landmark-one-main": { enabled: false }, region: { enabled: false } };
/** CSS pixels that a link on a line of its own must be high. */
const TARGET = 44;

export const VIEWS = [600, 375].flatMap((width) => ["light", "dark"].map((mode) => ({ width, mode })));

/** Opens a mail's HTML; `asked` gathers what it asks of the network. */
export async function open(browser, html, { width, mode }, { pictures = true, scale = 1 } = {}) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: mode, deviceScaleFactor: scale });
  const asked = [];
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (!url.startsWith("file:")) asked.push(url);
    return !url.startsWith("file:") || (!pictures && /\.(png|jpg|gif)$/.test(url)) ? route.abort() : route.continue();
  });
  await page.goto(pathToFileURL(html).href);
  return { page, asked };
}

/** What is wrong with an open mail, a line each. */
export async function faults(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((rules) => window.axe.run(document, { rules }), RULES);
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ").slice(0, 300)}`);
  found.push(...(await page.evaluate(smallTargets, TARGET)));
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width: 320, height });
  const over = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  if (over > 0) found.push(`scrolls sideways by ${over} px at 320`);
  await page.setViewportSize({ width, height });
  return found;
}

/** Runs in the page: buttons, rows of the contents and the links below the letter, where they are too low. */
function smallTargets(least) {
  const alone = (a) => ["block", "inline-block"].includes(getComputedStyle(a).display);
  return [...document.querySelectorAll("a")]
    .filter(alone)
    .map((a) => [a, a.getBoundingClientRect().height])
    .filter(([, height]) => height < least - 0.5)
    .map(([a, height]) => `only ${height} px high: ${a.outerHTML.slice(0, 120)}`);
}

/** The most by which one of two columns may end before the other, in CSS pixels. */
const HOLE = 300;

/** What a mail promises beyond what holds for any page, a line for each promise that it breaks. */
export const broken = (page, margin) =>
  page.evaluate(
    ([hole, margin]) => {
      const out = [];
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      if (new Set(ids).size !== ids.length) out.push(`an id stands twice: ${ids}`);
      for (const a of document.querySelectorAll('a[href^="#"]')) {
        const id = decodeURIComponent(a.getAttribute("href").slice(1));
        if (!ids.includes(id)) out.push(`a link leads nowhere: ${a.outerHTML.slice(0, 120)}`);
      }
      const lines = [...document.querySelectorAll("h1")].flatMap((h1) => {
        const range = document.createRange();
        range.selectNodeContents(h1);
        return [...range.getClientRects()];
      });
      for (const { left, right } of lines) {
        if (left < margin - 0.5 || right > innerWidth - margin + 0.5) out.push(`the title runs from ${left} to ${right}`);
      }
      for (const pair of document.querySelectorAll(".w")) {
        const columns = [...pair.querySelectorAll(".mj-column-per-50 > table")].map((e) => e.getBoundingClientRect());
        if (columns.length !== 2) out.push(`a pair of ${columns.length}`);
        const [one, other] = columns;
        const beside = one && other && Math.abs(one.top - other.top) < 1;
        if (beside && Math.abs(one.height - other.height) > hole) out.push(`a hole beside: ${one.height}, ${other.height}`);
      }
      return out;
    },
    [HOLE, margin],
  );

/** Runs in the page: the words and the links that a reader gets. */
export const reading = (page) =>
  page.evaluate(() => ({
    words: document.body.textContent.replace(/\s+/g, ""),
    links: [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href")),
  }));
