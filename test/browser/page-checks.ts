import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

const axeSource = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface AxeViolation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** No rule of axe is broken on the page as it stands. */
export async function assertAccessible(page: Page, where: string): Promise<void> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate<readonly AxeViolation[]>(
    "axe.run().then(({ violations }) => violations)",
  );
  const told = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map((node) => `${node.html}\n${node.failureSummary}`).join("\n")}`,
  );
  assert.equal(told.join("\n\n"), "", where);
}

/** Nothing is wider than where it stands, and no text lies over or under anything. */
export async function assertTidy(page: Page, where: string): Promise<void> {
  assert.deepEqual(
    await page.evaluate<readonly string[]>(findOverflow),
    [],
    `${where}: wider than its place`,
  );
  assert.deepEqual(await page.evaluate<readonly string[]>(findOverlaps), [], `${where}: one over another`);
}

/** The document and every part that scrolls: none scrolls sideways. */
const findOverflow = `
  [document.documentElement, ...document.querySelectorAll(".rows, .talk-scroll, .details-body, .top-bar, .trace-header, .tabs")]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.tagName + "." + element.className + " " + element.scrollWidth + " > " + element.clientWidth)
`;

/**
 * The lines of all texts in sight, as boxes cut to what their ancestors show: no two may meet by more than a pixel, and what the
 * browser finds at the middle of each must be the text's own element (or around or within it).
 */
const findOverlaps = `(() => {
  const found = [];
  const lines = [];
  const cut = (box, by) => ({
    left: Math.max(box.left, by.left), right: Math.min(box.right, by.right),
    top: Math.max(box.top, by.top), bottom: Math.min(box.bottom, by.bottom),
  });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.closest(".visually-hidden, .skip-link, script, noscript")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    let shown = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    let hidden = false;
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none") hidden = true;
      if (style.overflowX !== "visible" || style.overflowY !== "visible") shown = cut(shown, at.getBoundingClientRect());
    }
    if (hidden) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      const box = cut(rect, shown);
      if (box.right - box.left > 1 && box.bottom - box.top > 4) lines.push({ ...box, element, node, text: node.data.trim().slice(0, 40) });
    }
  }
  for (const [index, a] of lines.entries()) {
    for (const b of lines.slice(index + 1)) {
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Lines of one text may touch, and those that a clamp hides are where the last shown one is.
      if (a.node !== b.node && width > 1 && height > 3) found.push(a.text + " | " + b.text);
    }
    const top = document.elementFromPoint((a.left + a.right) / 2, (a.top + a.bottom) / 2);
    if (top && !top.contains(a.element) && !a.element.contains(top)) found.push(a.text + " under " + top.className);
  }
  return found;
})()`;
