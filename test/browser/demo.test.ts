import assert from "node:assert/strict";
import { test } from "node:test";
import { requires } from "../support/requires.ts";
import { startDemo } from "./running-demo.ts";
import { ViewerBrowser } from "./viewer-browser.ts";

const skip = requires("chromium");

test(
  "the demo leaves its trace open in the viewer: every service, agent and message is there",
  { skip },
  async (t) => {
    const demo = await startDemo();
    t.after(() => demo.stop());
    await using browser = await ViewerBrowser.start();
    await using opened = await browser.open(`${demo.link}?tab=transcript`);
    const { page } = opened;
    for (const text of [
      "230 - 20",
      "Result: 177177.5619047619",
      "Checked:",
      "The answer is 177177.5619047619",
    ])
      await page.getByText(text).first().waitFor();
    for (const service of ["desk", "planner", "calculator", "checker"])
      await page.getByText(service, { exact: true }).first().waitFor();
    await page.goto(demo.link);
    const tree = page.getByRole("treegrid");
    await tree.waitFor();
    for (const agent of ["planner", "calculator", "checker"]) await tree.getByText(agent).first().waitFor();
    // Rows beyond the window are drawn when they are reached.
    await tree.focus();
    await page.keyboard.press("End");
    await tree.getByText("writer").first().waitFor();
    assert.deepEqual(opened.complaints, []);
    assert.equal(await demo.stop(), 0);
  },
);
