import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { requires } from "../support/requires.ts";
import { groupChat, GroupChatTrace } from "./group-chat-trace.ts";
import { plainTraces } from "./plain-traces.ts";
import { post, ViewerBrowser } from "./viewer-browser.ts";

const skip = requires("chromium");
let browser: ViewerBrowser;

before(async () => {
  if (skip === false) browser = await ViewerBrowser.start();
});

after(() => browser?.[Symbol.asyncDispose]());

const grid = (page: Page) => page.getByRole("grid", { name: "Traces, newest first" });
const rows = (page: Page) => grid(page).locator(".trace-row:not(.trace-head)");

test(
  "an empty collector says how to get a trace; the list grows by itself as spans end",
  { skip },
  async () => {
    await using collector = await browser.startCollector();
    await using opened = await browser.open(collector.url);
    const { page, complaints } = opened;
    await page.getByRole("heading", { name: "No traces yet" }).waitFor();
    await page.getByText("npm run demo").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();

    const trace = new GroupChatTrace();
    await post(collector, trace.toOtlp("planner"));
    await rows(page).getByText("planner").first().waitFor();
    await post(collector, trace.toOtlp());
    const row = rows(page).filter({ hasText: groupChat.name });
    await row.getByText("checker").first().waitFor();
    const text = await row.innerText();
    for (const part of [...groupChat.services, "8.12 s", "1 failed", "4.7k", "OK"])
      assert.ok(text.includes(part), part);
    assert.match(await row.locator(".cell-agents").innerText(), /calculator/);

    await post(collector, plainTraces(1));
    await rows(page).nth(1).waitFor();
    assert.equal(await rows(page).first().locator(".trace-name").innerText(), "conversation 0");
    await page.getByRole("status").getByText("1 new trace").waitFor({ state: "attached" });
    assert.deepEqual(complaints, []);
  },
);

test(
  "of many traces only those in sight are in the document, and older pages follow on the way down",
  { skip },
  async () => {
    await using collector = await browser.startCollector();
    await post(collector, plainTraces(250));
    await using opened = await browser.open(collector.url);
    const { page } = opened;
    await rows(page).first().waitFor();
    assert.ok((await rows(page).count()) < 60);
    await grid(page).focus();
    for (
      let tries = 0;
      tries < 4 && !(await page.getByText("conversation 249", { exact: true }).isVisible());
      tries++
    ) {
      const before = await grid(page).getAttribute("aria-rowcount");
      await page.keyboard.press("End");
      if (before !== "251") await page.locator(`[role="grid"]:not([aria-rowcount="${before}"])`).waitFor();
    }
    await page.getByText("conversation 249", { exact: true }).waitFor();
    assert.equal(await grid(page).getAttribute("aria-rowcount"), "251");
    assert.ok((await rows(page).count()) < 60);
  },
);

test("the list is walked and opened by keys; going back finds it again", { skip }, async () => {
  await using collector = await browser.startCollector();
  await post(collector, plainTraces(30, Date.now() - 60_000));
  const trace = new GroupChatTrace();
  await post(collector, trace.toOtlp());
  await using opened = await browser.open(collector.url);
  const { page } = opened;
  await rows(page).first().waitFor();
  const active = () => page.locator('.trace-row[data-active="true"] .trace-name').innerText();
  await grid(page).focus();
  assert.equal(await active(), groupChat.name);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await active(), "conversation 1");
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await page.getByRole("treegrid").waitFor();
  assert.ok(page.url().endsWith(`/traces/${trace.traceId}`));
  await page.goBack();
  await rows(page).first().waitFor();
});

test(
  "a row is a link: a plain click stays in the page, the middle button opens another",
  { skip },
  async () => {
    await using collector = await browser.startCollector();
    const trace = new GroupChatTrace();
    await post(collector, trace.toOtlp());
    await using opened = await browser.open(collector.url);
    const { page } = opened;
    const link = page.getByRole("link", { name: groupChat.name });
    assert.equal(await link.getAttribute("href"), `/traces/${trace.traceId}`);
    const other = page.context().waitForEvent("page");
    await link.click({ button: "middle" });
    await (await other).waitForURL(`**/traces/${trace.traceId}`);
    await page.evaluate("window.stays = true");
    await link.click();
    await page.getByRole("treegrid").waitFor();
    assert.equal(await page.evaluate("window.stays"), true);
  },
);

test(
  "a collector with a token is asked for it once, and then is as any other, live too",
  { skip },
  async () => {
    const token = "the-token-of-this-test";
    await using collector = await browser.startCollector({ token });
    await post(collector, plainTraces(1, Date.now() - 5_000), token);
    await using opened = await browser.open(collector.url);
    const { page } = opened;
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
    await rows(page).first().waitFor();
    await page.reload();
    await rows(page).first().waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await post(collector, plainTraces(1), token);
    await rows(page).nth(1).waitFor();
  },
);

test("what is read stays where it is while traces come in above it", { skip }, async () => {
  await using collector = await browser.startCollector();
  await post(collector, plainTraces(80, Date.now() - 600_000));
  await using opened = await browser.open(collector.url);
  const { page } = opened;
  await page.getByText("Live", { exact: true }).waitFor();
  await rows(page).first().waitFor();
  await grid(page).hover();
  await page.mouse.wheel(0, 1500);
  const read = page.getByText("conversation 35", { exact: true });
  await read.waitFor();
  await page.waitForFunction('document.querySelector(".rows").scrollTop === 1500');
  const before = await read.boundingBox();
  await post(collector, plainTraces(7));
  await page.locator('[role="grid"][aria-rowcount="88"]').waitFor();
  assert.deepEqual(await read.boundingBox(), before);
});
