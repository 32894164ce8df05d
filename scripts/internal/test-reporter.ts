import { basename } from "node:path";
import process from "node:process";
import type { TestEvent } from "node:test/reporters";

/** What one workspace's test run tells the run as a whole. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly file: string; readonly reason: string }[];
}

/** A reporter of node:test that writes a {@link TestReport} as JSON: the root's `npm test` adds them up and names what was skipped. */
export async function* reportTests(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  const skipped: TestReport["skipped"][number][] = [];
  for await (const event of source) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    if (event.data.details.type === "suite") continue;
    const { skip } = event.data;
    if (skip === undefined || skip === false) {
      if (event.type === "test:pass") passed += 1;
      else failed += 1;
      continue;
    }
    const file = basename(event.data.file ?? process.cwd());
    skipped.push({ name: event.data.name, file, reason: skip === true ? "" : skip });
  }
  yield JSON.stringify({ passed, failed, skipped } satisfies TestReport);
}

// node:test takes a reporter from a module's default export and from nowhere else.
// oxlint-disable-next-line import/no-default-export
export default reportTests;
