import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Collector } from "@weft/collector";
import type { Page } from "playwright-core";
import { requires } from "../support/requires.ts";
import { groupChat, GroupChatTrace } from "./group-chat-trace.ts";
import { post, ViewerBrowser } from "./viewer-browser.ts";

const skip = requires("chromium");
const trace = new GroupChatTrace();
let browser: ViewerBrowser;
let collector: Collector;

before(async () => {
  if (skip !== false) return;
  browser = await ViewerBrowser.start();
  collector = await browser.startCollector();
  await post(collector, trace.toOtlp());
});

after(async () => {
  await collector?.close();
  await browser?.[Symbol.asyncDispose]();
});

const linkTo = (query = "", traceId = trace.traceId): string => `${collector.url}/traces/${traceId}${query}`;
const grid = (page: Page) => page.getByRole("treegrid", { name: "Spans of the trace" });
const details = (page: Page) => page.getByRole("complementary");
const rows = (page: Page) => grid(page).locator(".span-row:not(.span-head)");

test(
  "a trace's link shows its name, its figures and each service in a hue of its own",
  { skip },
  async () => {
    await using opened = await browser.open(linkTo());
    const { page } = opened;
    await page.getByRole("heading", { name: groupChat.name }).waitFor();
    const legend = page.getByRole("list", { name: "Services" });
    await legend.getByText("planner").waitFor();
    assert.deepEqual(await legend.getByRole("listitem").allInnerTexts(), [...groupChat.services]);
    const hues = await page.evaluate<readonly string[]>(
      '[...document.querySelectorAll(".legend .chip-dot")].map((dot) => getComputedStyle(dot).backgroundColor)',
    );
    assert.equal(new Set(hues).size, groupChat.services.length);
    await page.getByText("one trace, whole").waitFor();
    for (const figure of ["8.12 s", String(trace.spanCount), "4.3k in, 414 out"]) {
      await page.getByRole("definition").filter({ hasText: figure }).first().waitFor();
    }
    assert.equal(await page.title(), `${groupChat.name} · Weft`);
    assert.deepEqual(opened.complaints, []);
  },
);

test(
  "the waterfall has a row for every span, with its service, and names what failed",
  { skip },
  async () => {
    await using opened = await browser.open(linkTo(), { viewport: { width: 1280, height: 1400 } });
    const { page } = opened;
    await rows(page).first().waitFor();
    assert.equal(await grid(page).getAttribute("aria-rowcount"), String(trace.spanCount + 1));
    assert.equal(await rows(page).count(), trace.spanCount);
    for (const agent of groupChat.agents) {
      const turn = rows(page).filter({ hasText: `invoke_agent ${agent}` });
      assert.ok((await turn.locator(".cell-service").allInnerTexts()).includes(agent), agent);
    }
    const failed = rows(page).filter({ hasText: "failed" });
    assert.equal(await failed.count(), 1);
    assert.ok((await failed.innerText()).includes(groupChat.failedTool));
  },
);

test(
  "the transcript says who said what and where, and between the messages who was chosen",
  { skip },
  async () => {
    await using opened = await browser.open(linkTo());
    const { page } = opened;
    await page.getByRole("tab", { name: "Transcript" }).click();
    const talk = page.getByRole("region", { name: "Transcript" });
    for (const text of [groupChat.question, ...groupChat.texts]) await talk.getByText(text).waitFor();
    for (const agent of groupChat.agents)
      await talk
        .getByRole("button", { name: `${agent}: show the span` })
        .first()
        .waitFor();
    await talk.getByRole("button", { name: "calculator speaks next" }).waitFor();
    assert.match(page.url(), /\?tab=transcript$/);

    await talk.getByRole("button", { name: "calculator: show the span" }).click();
    // The span that made it: the model call.
    await details(page).getByRole("heading", { name: "chat gpt-5-mini" }).waitFor();
    assert.match(page.url(), new RegExp(`span=${lastCalculatorCall()}`));
    assert.deepEqual(opened.complaints, []);
  },
);

test(
  "a selection opened tells who could speak, who was left out and why, who was chosen and how",
  { skip },
  async () => {
    await using opened = await browser.open(linkTo("?tab=transcript"));
    const { page } = opened;
    await page.getByRole("button", { name: "calculator speaks next" }).click();
    const panel = details(page);
    await panel.getByText("chosen by a model (auto)").waitFor();
    assert.equal(await panel.locator(".verdict-who").innerText(), "calculator speaks next");
    await panel.getByText(groupChat.reason).waitFor();
    const people = await panel.locator(".people li").allInnerTexts();
    assert.deepEqual(
      people.map((person) => person.split("\n")),
      [
        ["calculator", "chosen"],
        ["checker", "could have spoken"],
        ["planner", groupChat.excludedBecause],
      ],
    );
    const attempts = await panel.locator(".attempts li").allInnerTexts();
    assert.equal(attempts.length, 2);
    assert.match(attempts[0] ?? "", /named planner and calculator/);

    await panel.getByRole("button", { name: "What the model was asked, 2" }).click();
    await panel.getByRole("heading", { name: "chat gpt-5-mini" }).waitFor();
    await panel.getByText("You choose who speaks next.").waitFor();
  },
);

test("a model call shows what it was sent, in order, and what it answered", { skip }, async () => {
  await using opened = await browser.open(linkTo(`?span=${lastCalculatorCall()}`));
  const panel = details(opened.page);
  await panel.getByText("Sent").waitFor();
  const speakers = await panel.locator(".speaker strong").allInnerTexts();
  assert.deepEqual(speakers, ["user", "planner", "calculator", "calculator", "calculator"]);
  await panel.getByText(groupChat.texts[1]).waitFor();
  await panel.getByText('"b": "two hundred and ten"').waitFor();
});

test("a failed tool shows what it was given and what went wrong", { skip }, async () => {
  await using opened = await browser.open(linkTo(`?span=${trace.spanId(groupChat.failedTool)}`));
  const panel = details(opened.page);
  const error = panel.getByRole("region", { name: "Error" });
  await error.getByText(groupChat.toolError).waitFor();
  assert.equal(await error.getByRole("heading").innerText(), "tool_failed");
  await panel.getByText('"a": 13312').waitFor();
  await panel.getByRole("button", { name: "chat gpt-5-mini" }).click();
  await panel.getByRole("heading", { name: "chat gpt-5-mini" }).waitFor();
});

test("a text that its service kept back is named by that service", { skip }, async () => {
  const quiet = new GroupChatTrace({ contentOff: true });
  await post(collector, quiet.toOtlp());
  await using opened = await browser.open(linkTo(`?span=${trace.spanId("invoke_agent checker", "checker")}`));
  await details(opened.page).getByText("content off at checker").waitFor();
  await opened.page.goto(linkTo("?tab=transcript", quiet.traceId));
  const talk = opened.page.getByRole("region", { name: "Transcript" });
  await talk.getByText("content off at").last().waitFor();
  assert.equal(await talk.locator(".said").count(), 5);
});

test("the waterfall is walked, folded and opened by keys alone", { skip }, async () => {
  await using opened = await browser.open(linkTo());
  const { page } = opened;
  await rows(page).first().waitFor();
  await grid(page).focus();
  const active = () => page.locator('.span-row[data-active="true"] .span-name').innerText();
  const keys = async (...pressed: readonly string[]) => {
    for (const key of pressed) await page.keyboard.press(key);
  };
  assert.equal(await active(), groupChat.name);
  await keys("ArrowDown");
  assert.equal(await active(), "select_speaker desk");
  await keys("ArrowLeft");
  assert.equal(await grid(page).getAttribute("aria-rowcount"), String(trace.spanCount));
  assert.equal(await page.locator('.span-row[data-active="true"]').getAttribute("aria-expanded"), "false");
  await keys("ArrowDown");
  assert.equal(await active(), "invoke_agent planner");
  await keys("ArrowUp", "ArrowRight", "ArrowRight");
  assert.equal(await active(), "chat gpt-5-mini");
  await keys("ArrowLeft", "Enter");
  await details(page).getByText("planner speaks next").waitFor();
  assert.equal(await focused(page), "details", "the panel has the focus");

  await keys("Escape");
  await details(page).waitFor({ state: "detached" });
  assert.equal(await focused(page), "rows", "the grid has it again");
  await keys("End");
  assert.equal(await active(), "chat gpt-5-mini");
  const descendant = await grid(page).getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`[id="${descendant}"]`).count(), 1, "the active row is in the document");
  assert.deepEqual(opened.complaints, []);
});

test(
  "with the details open they follow the keys; back, forward and reload bring back what was shown",
  { skip },
  async () => {
    await using opened = await browser.open(linkTo());
    const { page } = opened;
    const heading = (name: string) => details(page).getByRole("heading", { name, exact: true }).waitFor();
    await page.locator('.span-row[data-failed="true"]').click();
    await heading(groupChat.failedTool);
    await grid(page).focus();
    await page.keyboard.press("ArrowDown");
    await heading("chat gpt-5-mini");
    await page.goBack();
    await details(page).waitFor({ state: "detached" });
    await page.goForward();
    await heading("chat gpt-5-mini");
    await page.reload();
    await heading("chat gpt-5-mini");
    assert.equal(await page.locator('.span-row[aria-selected="true"]').count(), 1);
  },
);

test("an unknown trace is said to be unknown, and appears when its spans come", { skip }, async () => {
  const late = new GroupChatTrace();
  await using opened = await browser.open(linkTo("", late.traceId));
  const { page } = opened;
  await page.getByRole("heading", { name: "This collector has no such trace" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  await post(collector, late.toOtlp("desk"));
  await page.getByRole("heading", { name: groupChat.name }).waitFor();
  await post(collector, late.toOtlp("planner"));
  const legend = page.getByRole("list", { name: "Services" });
  await legend.getByText("planner").waitFor();
  assert.equal(await legend.getByRole("listitem").count(), 2);
});

test("what a model wrote never becomes markup", { skip }, async () => {
  const question = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const sly = new GroupChatTrace({ question });
  await post(collector, sly.toOtlp());
  await using opened = await browser.open(linkTo("?tab=transcript", sly.traceId));
  const { page, complaints } = opened;
  await page.getByText(question).waitFor();
  assert.equal(await page.locator(".said img, .said script").count(), 0);
  assert.equal(await page.title(), `${groupChat.name} · Weft`);
  assert.deepEqual(complaints, []);
});

test("an address that is none says so and leads back", { skip }, async () => {
  await using opened = await browser.open(`${collector.url}/traces/123`);
  const { page } = opened;
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await page.getByRole("link", { name: "To the traces" }).click();
  await page.getByRole("grid", { name: "Traces, newest first" }).waitFor();
});

/** The calculator's last model call: the one with the longest context. */
function lastCalculatorCall(): string {
  const spans = trace
    .toOtlp("calculator")
    .resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  return spans.findLast(({ name }) => name === "chat gpt-5-mini")?.spanId ?? "";
}

/** The first class of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement.classList[0]");
}
