/**
 * `npm test`. In a workspace: node:test over its `*.test.ts`. At the root: that, in every workspace, one after another, then what was
 * skipped and what it needs. Arguments name files to run: `npm test -w @weft/tracing -- test/propagator.test.ts`.
 */
import type { ChildProcess } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import type { TestReport } from "./internal/test-reporter.ts";
import { root } from "./internal/repository.ts";
import { runTool } from "./internal/tools.ts";
import { spawnNode } from "./spawn-node.ts";

/** No test may take longer: whatever hangs is named instead of holding everybody up. */
const timeoutMs = 120_000;

/**
 * A file whose tests have all ended but which leaves a server or a timer open never ends, and `--test-timeout` does not see it. When
 * nothing has been printed for this long the run is interrupted; node:test then names the file.
 */
const silenceMs = Number(process.env["WEFT_TEST_SILENCE_MS"] ?? timeoutMs + 30_000);

/** Tests start servers and processes of their own; on two cores more files at once only slow each other down. */
const filesAtOnce = 2;

const here = process.cwd();
process.exitCode = resolve(here) === root ? await testAll() : await testWorkspace(process.argv.slice(2));

async function testWorkspace(named: readonly string[]): Promise<number> {
  const files = named.length > 0 ? named : testFiles();
  if (files.length === 0) {
    process.stderr.write(`${here} has no test: a workspace with a test script has at least one *.test.ts.\n`);
    return 1;
  }
  const reports = process.env["WEFT_TEST_REPORTS"];
  const flags = ["--test", `--test-timeout=${timeoutMs}`, `--test-concurrency=${filesAtOnce}`];
  flags.push("--test-reporter=spec", "--test-reporter-destination=stdout");
  if (reports !== undefined) {
    flags.push(`--test-reporter=${new URL("./internal/test-reporter.ts", import.meta.url).href}`);
    flags.push(`--test-reporter-destination=${join(reports, `${basename(here)}.json`)}`);
  }
  const [first = "", ...others] = files;
  return runUntilSilent(spawnNode(first, others, { execArgv: flags, stdio: ["inherit", "pipe", "inherit"] }));
}

function runUntilSilent(run: ChildProcess): Promise<number> {
  const interrupt = (): void => {
    process.stdout.write(
      `\nNothing ended in ${silenceMs / 1000} s: a file below leaves something open, or hangs.\n`,
    );
    run.kill("SIGINT");
  };
  const timer = setTimeout(interrupt, silenceMs);
  run.stdout?.on("data", (chunk: Buffer) => {
    timer.refresh();
    process.stdout.write(chunk);
  });
  return new Promise((resolve, reject) => {
    run.once("error", reject);
    run.once("close", (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

function testFiles(): readonly string[] {
  const exclude = ["**/node_modules/**", "**/dist/**", "**/fixtures/**"];
  return globSync("**/*.test.ts", { cwd: here, exclude }).sort();
}

async function testAll(): Promise<number> {
  const reports = mkdtempSync(join(tmpdir(), "weft-test-"));
  const flags = [
    "--concurrency=1",
    "--continue",
    "--log-prefix=none",
    "--log-order=stream",
    "--output-logs=full",
  ];
  const { code } = await runTool("turbo", ["run", "test", ...flags, ...process.argv.slice(2)], {
    env: { WEFT_TEST_REPORTS: reports },
  });
  const all = readdirSync(reports).map((file) => readReport(join(reports, file)));
  rmSync(reports, { recursive: true, force: true });
  const skipped = all.flatMap((report) => report.skipped);
  const passed = all.reduce((sum, report) => sum + report.passed, 0);
  const failed = all.reduce((sum, report) => sum + report.failed, 0);
  process.stdout.write("\n");
  for (const { name, file, reason } of skipped)
    process.stdout.write(`skipped: ${name} (${file}): ${reason}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
  return passed === 0 ? 1 : code;
}

function readReport(file: string): TestReport {
  const text = readFileSync(file, "utf8");
  return text === "" ? { passed: 0, failed: 0, skipped: [] } : (JSON.parse(text) as TestReport);
}
