// Walks the pages of the real program in a real Chromium: `node tests/pages/run.mjs BINARY [--shots DIR]`.
//
// One person signs up by keyboard alone, confirms from the mail in the demo's inbox, leaves and takes it back;
// every page on the way is looked at (browser.mjs). Prints `N passed, N failed`; fails where anything failed.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { check, count } from "../support/browser.mjs";
import { faults, open } from "./browser.mjs";
import { start } from "./demo.mjs";

const [binary, ...rest] = process.argv.slice(2);
if (!binary) {
  console.error("usage: node tests/pages/run.mjs BINARY [--shots DIR]");
  process.exit(2);
}
const shots = rest[0] === "--shots" ? resolve(rest[1]) : undefined;
const WHO = "mei.lin@readers.example";
const PATIENCE_MS = 20_000;

const looksGood = (page, name) =>
  check(`${name} looks as it must`, async () => {
    const found = await faults(page, { shots, name });
    assert.deepEqual(found, [], found.join("\n"));
  });

/** Presses Tab until an element that fits the selector has the focus. */
async function tabTo(page, selector) {
  for (let i = 0; i < 20; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
  }
  assert.fail(`Tab never reaches ${selector}`);
}

/** Opens the newest mail to somebody and gives its page. */
async function openMail(page, demo, to, subject = "") {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    await page.goto(`${demo.inbox}/?find=${encodeURIComponent(to)}`);
    const row = page.locator(".list li a", { hasText: subject }).first();
    if (await row.count()) return row.click();
    assert.ok(Date.now() < until, `no mail to ${to} came`);
    await page.waitForTimeout(200);
  }
}

/** Follows the link in the open mail that leads to a page of the daemon; it opens beside the inbox. */
async function follow(page, where) {
  const link = page.frameLocator("iframe").locator(`a[href*="${where}"]`).first();
  const [opened] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
  await opened.waitForLoadState();
  return opened;
}

const h1 = (page) => page.locator("h1").innerText();

async function walkInbox(page, demo) {
  await page.goto(`${demo.inbox}/`);
  await looksGood(page, "inbox-list");
  await page.goto(`${demo.inbox}${await page.locator(".list li a").first().getAttribute("href")}`);
  for (const view of ["HTML", "Text", "Headers", "Source"]) {
    await page.getByRole("link", { name: view, exact: true }).click();
    await looksGood(page, `inbox-${view.toLowerCase()}`);
  }
  await check("the phone's width can be chosen", async () => {
    await page.getByRole("link", { name: "HTML", exact: true }).click();
    await page.getByRole("link", { name: "Phone 375" }).click();
    assert.equal((await page.locator("iframe").boundingBox()).width, 375);
  });
  await check("every picture of the mail is there", async () => {
    const pictures = page.frameLocator("iframe").locator("img");
    for (const picture of await pictures.all()) {
      const answer = await page.request.get(await picture.getAttribute("src"));
      assert.equal(answer.status(), 200);
      assert.match(answer.headers()["content-type"], /^image\//);
    }
  });
  await check("a search finds by address", async () => {
    await page.goto(`${demo.inbox}/?find=nobody-of-this-name`);
    assert.equal(await page.locator(".list li").count(), 0);
  });
}

async function walkSignUp(page, demo) {
  await page.goto(`${demo.inbox}/`);
  await page.getByRole("link", { name: "Subscribe an address" }).click();
  const form = page.url();
  await looksGood(page, "page-subscribe");
  await check("a wrong address is explained and kept", async () => {
    await page.fill("#email", "mei@example");
    await page.getByRole("button", { name: "Subscribe" }).click();
    assert.match(await page.locator("#email-error").innerText(), /no ending such as \.com/);
    assert.equal(await page.inputValue("#email"), "mei@example");
    assert.equal(await page.evaluate(() => document.activeElement.id), "email");
  });
  await looksGood(page, "page-subscribe-error");
  await check("one can sign up by keyboard alone", async () => {
    await page.goto(form);
    await tabTo(page, "#email");
    await page.keyboard.type(WHO);
    await page.keyboard.press("Enter");
    await page.waitForLoadState();
    assert.equal(await h1(page), "Check your mail");
    assert.match(await page.locator(".lede").innerText(), new RegExp(`If ${WHO} can receive`));
    assert.equal(demo.state(WHO), "pending");
  });
  await looksGood(page, "page-checkmail");
}

async function walkConfirm(page, demo) {
  await openMail(page, demo, WHO);
  await looksGood(page, "inbox-confirm");
  const opened = await follow(page, "/confirm/");
  await looksGood(opened, "page-confirm");
  await check("looking confirms nobody, one press by keyboard does", async () => {
    await opened.reload();
    assert.equal(demo.state(WHO), "pending");
    await tabTo(opened, "main button");
    await opened.keyboard.press("Enter");
    await opened.waitForLoadState();
    assert.match(await h1(opened), /^You are subscribed/);
    assert.equal(demo.state(WHO), "active");
  });
  await looksGood(opened, "page-confirmed");
  await opened.close();
}

async function walkLeave(page, demo, reader) {
  await openMail(page, demo, reader);
  const opened = await follow(page, "/unsubscribe/");
  await looksGood(opened, "page-unsubscribe");
  await check("looking removes nobody, one press does", async () => {
    await opened.reload();
    assert.equal(demo.state(reader), "active");
    await opened.getByRole("button", { name: "Unsubscribe" }).click();
    assert.equal(await h1(opened), "You are unsubscribed");
    assert.equal(demo.state(reader), "unsubscribed");
  });
  await looksGood(opened, "page-unsubscribed");
  await check("it can be undone", async () => {
    await opened.getByRole("button", { name: "Undo" }).click();
    assert.equal(await h1(opened), "You are subscribed again");
    assert.equal(demo.state(reader), "active");
  });
  await looksGood(opened, "page-undone");
  await check("a link that was cut short says so", async () => {
    const origin = new URL(opened.url()).origin;
    await opened.goto(`${origin}/unsubscribe/AQEC`);
    assert.equal(await h1(opened), "This link is not complete");
    await looksGood(opened, "page-bad-link");
    await opened.goto(`${origin}/no-such-page`);
    assert.equal(await h1(opened), "Page not found");
  });
  await looksGood(opened, "page-404");
  await opened.close();
}

async function walkNext(page, demo) {
  await page.goto(`${demo.inbox}/`);
  await check("the page offers the next issue with the command of the terminal, until it was sent", async () => {
    const offered = await page.locator(".next code").innerText();
    const command = demo.sendNext();
    assert.equal(offered.replace(/\s+/g, " "), command);
    const until = Date.now() + PATIENCE_MS;
    while (await page.locator(".next").count()) {
      assert.ok(Date.now() < until, "it is still offered");
      await page.waitForTimeout(200);
      await page.reload();
    }
  });
  await page.goto(demo.signUp());
  await check("past issues are shown by their subjects and their own dates", async () => {
    const rows = await page.locator(".rows li").allInnerTexts();
    assert.match(rows.at(-1), /25 July 2021/);
    assert.doesNotMatch(rows.at(-1), /Akira's Machine Learning News$/m);
  });
}

/** The pages of a newsletter in another language, from right to left. */
async function walkArabic(context) {
  const issue = resolve(import.meta.dirname, "../mails/letters/arabic.md");
  const demo = await start(resolve(binary), 3, issue);
  const page = await context.newPage();
  await page.goto(demo.signUp());
  await check("the pages speak the language of the newsletter, from right to left", async () => {
    const { lang, dir } = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
    assert.deepEqual([lang, dir], ["ar", "rtl"]);
    assert.equal(await page.locator("main .button").innerText(), "اشترك");
  });
  await looksGood(page, "page-subscribe-arabic");
  await page.fill("#email", "someone@readers.example");
  await page.locator("main .button").click();
  await looksGood(page, "page-checkmail-arabic");
  await page.close();
  await demo.stop();
}

const demo = await start(resolve(binary), 12);
const { browser, context, complaints } = await open();
try {
  const page = await context.newPage();
  await page.goto(`${demo.inbox}/`);
  // The inbox shows a domain in its own letters, the command line as A-labels: one whom both write alike.
  const shown = await page.locator(".list .to").allInnerTexts();
  const reader = shown.find((email) => /^[\x20-\x7e]+$/.test(email));
  await walkInbox(page, demo);
  await walkSignUp(page, demo);
  await walkConfirm(page, demo);
  await walkLeave(page, demo, reader);
  await walkNext(page, demo);
  await walkArabic(context);
  await check("no page asks another host, runs a script, breaks its policy or sets a cookie", async () => {
    assert.deepEqual([...new Set(complaints)], []);
    assert.deepEqual(await context.cookies(), []);
  });
} catch (error) {
  count.failed += 1;
  console.log(`FAILED  the walk ended early\n        ${error.stack}`);
} finally {
  await browser.close();
}
await check("the demo stops when it is asked to", async () => assert.equal(await demo.stop(), 0));
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed ? 1 : 0);
