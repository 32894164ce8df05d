import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Collector } from "@weft/collector";
import type { Page } from "playwright-core";
import { requires } from "../support/requires.ts";
import { groupChat, GroupChatTrace } from "./group-chat-trace.ts";
import { assertAccessible, assertTidy } from "./page-checks.ts";
import { largeTrace, plainTraces } from "./plain-traces.ts";
import { post, ViewerBrowser } from "./viewer-browser.ts";

const skip = requires("chromium");
const trace = new GroupChatTrace();
let browser: ViewerBrowser;
let collector: Collector;

before(async () => {
  if (skip !== false) return;
  browser = await ViewerBrowser.start();
  collector = await browser.startCollector();
  await post(collector, plainTraces(40, Date.now() - 60_000));
  await post(collector, trace.toOtlp());
});

after(async () => {
  await collector?.close();
  await browser?.[Symbol.asyncDispose]();
});

interface View {
  readonly name: string;
  readonly query: string | undefined;
  /** Seen when the view is whole. */
  readonly shows: string;
}

const views: readonly View[] = [
  { name: "list", query: undefined, shows: "conversation 3" },
  { name: "waterfall", query: "", shows: "one trace, whole" },
  { name: "transcript", query: "?tab=transcript", shows: "speaks next" },
  { name: "selection", query: `?span=${trace.spanId("select_speaker desk")}`, shows: "chosen by a model" },
  {
    name: "selection in the transcript",
    query: `?tab=transcript&span=${trace.spanId("select_speaker desk")}`,
    shows: "chosen by a model",
  },
  { name: "failed tool", query: `?span=${trace.spanId(groupChat.failedTool)}`, shows: groupChat.toolError },
  {
    name: "model call",
    query: `?span=${trace.spanId("chat gpt-5-mini", "calculator")}`,
    shows: "You are the calculator",
  },
  { name: "no such page", query: "/nowhere", shows: "There is no such page" },
];

async function show(page: Page, { query, shows }: View): Promise<void> {
  await page.goto(query === undefined ? collector.url : `${collector.url}/traces/${trace.traceId}${query}`);
  await page.getByText(shows).filter({ visible: true }).first().waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in the ${colorScheme} theme`, { skip }, async () => {
    await using opened = await browser.open(collector.url, { colorScheme });
    for (const view of views) {
      await show(opened.page, view);
      await assertAccessible(opened.page, `${view.name}, ${colorScheme}`);
    }
    assert.deepEqual(opened.complaints, []);
  });
}

for (const width of [1280, 1001, 800, 761, 390]) {
  test(`nothing is over anything else at ${width} pixels`, { skip }, async () => {
    await using opened = await browser.open(collector.url, { viewport: { width, height: 844 } });
    for (const view of views) {
      await show(opened.page, view);
      await assertTidy(opened.page, `${view.name} at ${width}`);
    }
  });
}

test(
  "the check for tidiness sees what lies over another, under another, and out of its place",
  { skip },
  async () => {
    await using opened = await browser.open(collector.url);
    const { page } = opened;
    const faults = [
      [".trace-name", "transform", "translateY(14px)", /over another/],
      [".top-bar", "marginBottom", "-34px", /over another/],
      [".trace-row", "width", "3000px", /wider/],
    ] as const;
    for (const [selector, property, value, told] of faults) {
      await show(page, views[0]!);
      await assertTidy(page, "before");
      await page.evaluate(
        `document.querySelector(${JSON.stringify(`main ${selector}, ${selector}`)}).style.${property} = "${value}"`,
      );
      await assert.rejects(assertTidy(page, selector), told);
    }
  },
);

test("long names and many services stay in their places", { skip }, async () => {
  const long = "an_agent_whose_name_goes_on_and_on_without_a_single_space_to_break_at".repeat(2);
  const body = JSON.stringify(new GroupChatTrace().toOtlp())
    .replaceAll("planner", long)
    .replaceAll("checker", "Prüfer 检查员");
  const other = JSON.parse(body) as ReturnType<GroupChatTrace["toOtlp"]>;
  const traceId = other.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.traceId ?? "";
  await post(collector, other);
  for (const width of [1280, 390]) {
    await using opened = await browser.open(collector.url, { viewport: { width, height: 844 } });
    const { page } = opened;
    await page.getByText("检查员").filter({ visible: true }).first().waitFor();
    await assertTidy(page, `list at ${width}`);
    for (const query of ["", "?tab=transcript"]) {
      await page.goto(`${collector.url}/traces/${traceId}${query}`);
      await page.getByText("one trace, whole").waitFor();
      await assertTidy(page, `trace${query} at ${width}`);
    }
  }
});

test("the theme is the system's until the reader chooses, and the choice stays", { skip }, async () => {
  await using opened = await browser.open(collector.url, { colorScheme: "light" });
  const { page } = opened;
  const isDark = () =>
    page.evaluate<boolean>(
      'getComputedStyle(document.documentElement).colorScheme === "dark" || (getComputedStyle(document.documentElement).colorScheme === "light dark" && matchMedia("(prefers-color-scheme: dark)").matches)',
    );
  assert.equal(await isDark(), false);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await isDark(), true);
  const toggle = page.getByRole("button", { name: "Dark theme" });
  assert.equal(await toggle.getAttribute("aria-pressed"), "true");
  await toggle.click();
  assert.equal(await isDark(), false);
  await page.reload();
  assert.equal(await isDark(), false);
  await toggle.click();
  assert.equal(await isDark(), true);
  assert.equal(await page.evaluate("localStorage.length"), 0, "the system's own theme is no choice");
});

test("nothing moves for a reader who wants no motion", { skip }, async () => {
  const running = structuredClone(new GroupChatTrace().toOtlp("planner"));
  await post(collector, running);
  const animations =
    'document.querySelectorAll(".state[data-state=RUNNING]").length > 0 && document.getAnimations().length';
  for (const [reducedMotion, expected] of [
    ["no-preference", true],
    ["reduce", false],
  ] as const) {
    await using opened = await browser.open(collector.url, { reducedMotion });
    await opened.page.getByText("Running").first().waitFor();
    assert.equal((await opened.page.evaluate<number>(animations)) > 0, expected, reducedMotion);
  }
});

test(
  "a trace of ten thousand spans keeps few rows in the document and is walked to its end",
  { skip },
  async () => {
    const { traceId, body } = largeTrace(10_000);
    await post(collector, body);
    await using opened = await browser.open(`${collector.url}/traces/${traceId}`);
    const { page } = opened;
    const rows = page.locator(".span-row:not(.span-head)");
    await rows.first().waitFor();
    assert.equal(await page.getByRole("treegrid").getAttribute("aria-rowcount"), "10001");
    await page.getByRole("treegrid").focus();
    await page.keyboard.press("End");
    await page.locator('.span-row[data-active="true"]').waitFor();
    assert.equal(await page.locator('.span-row[data-active="true"]').getAttribute("aria-rowindex"), "10001");
    assert.ok((await rows.count()) < 80);
  },
);

test(
  "the page is at most 200 KB of script, gzipped, and asks nobody but its collector",
  { skip },
  async () => {
    const assets = join(browser.folder, "assets");
    const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
    assert.ok(bytes > 0 && bytes <= 200 * 1024, `${bytes} bytes`);

    await using opened = await browser.open("about:blank");
    const asked = new Set<string>();
    opened.page.on("request", (request) => asked.add(new URL(request.url()).origin));
    await show(opened.page, { name: "transcript", query: "?tab=transcript", shows: "speaks next" });
    assert.deepEqual([...asked], [new URL(collector.url).origin]);
  },
);

test("the first paint comes within a second", { skip }, async () => {
  const paints: number[] = [];
  // The best of three: the machine may be busy with something else.
  for (let load = 0; load < 3 && !paints.some((ms) => ms <= 1000); load++) {
    await using opened = await browser.open(collector.url);
    await opened.page.getByRole("grid").waitFor();
    paints.push(
      await opened.page.evaluate<number>(
        'performance.getEntriesByName("first-contentful-paint")[0].startTime',
      ),
    );
  }
  assert.ok(Math.min(...paints) <= 1000, paints.join(", "));
});
