import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { filesIn, root, shown } from "../../scripts/internal/repository.ts";
// @boundaries-ignore the guards look at the repository as a whole
import { runNode } from "../../scripts/internal/tools.ts";

const documents = filesIn(root, "**/*.md");

test("every link in the documents leads somewhere", () => {
  const broken = documents.flatMap((file) =>
    linksOf(readFileSync(file, "utf8"))
      .filter((link) => !leadsSomewhere(file, link))
      .map((link) => `${shown(file)}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("the README's example runs and prints what the README says", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, code, printed] = /```ts\n(.*?)```\s+```text\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(code !== undefined && printed !== undefined, "README.md has a ts block with its output below it");
  // Below test/, so that it resolves the packages as any workspace does; in dist, so that no tool looks at it.
  mkdirSync(join(root, "test/dist"), { recursive: true });
  const folder = mkdtempSync(join(root, "test/dist/readme-"));
  try {
    const file = join(folder, "example.ts");
    writeFileSync(file, code);
    const { code: exitCode, output } = await runNode(file, [], {
      stdio: "pipe",
      env: { WEFT_TRACING: "off" },
    });
    assert.equal(exitCode, 0, output);
    assert.equal(output.trim(), printed.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Targets of inline links and images, code blocks left out. */
function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```.*?^```/gms, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

function leadsSomewhere(file: string, link: string): boolean {
  if (/^(?:https?|mailto):/.test(link)) return true;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : resolve(dirname(file), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, "utf8")).has(anchor);
}

/** Headings as GitHub names them in links. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+\s+(.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase());
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/\s/g, "-"),
    ),
  );
}
