import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCollector } from "@weft/collector";
import type { Collector, CollectorOptions } from "@weft/collector";
import type { OtlpTraces } from "@weft/tracing/http";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
// @boundaries-ignore the viewer is built as its own build does, from the sources of this moment
import { runTool } from "../../scripts/internal/tools.ts";
import { locate } from "../support/requires.ts";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained of so far; an answer other than 200 is no complaint. */
  readonly complaints: readonly string[];
}

/** A browser and the viewer as built from its sources, served by real collectors. */
export class ViewerBrowser implements AsyncDisposable {
  readonly folder: string;
  private readonly browser: Browser;

  private constructor(browser: Browser, folder: string) {
    this.browser = browser;
    this.folder = folder;
  }

  static async start(): Promise<ViewerBrowser> {
    const folder = mkdtempSync(join(tmpdir(), "weft-viewer-"));
    const build = ["build", "services/viewer", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"];
    const { code, output } = await runTool("vite", build, { stdio: "pipe" });
    if (code !== 0) throw new TypeError(`the viewer does not build:\n${output}`);
    const executablePath = locate("chromium");
    const browser = await chromium.launch({
      args: flags,
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    return new ViewerBrowser(browser, folder);
  }

  startCollector(options: CollectorOptions = {}): Promise<Collector> {
    return startCollector({ port: 0, viewer: this.folder, ...options });
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      const isAnswer = message.text().startsWith("Failed to load resource");
      if (!isAnswer && (message.type() === "error" || message.type() === "warning"))
        complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function post(collector: Collector, body: OtlpTraces, token?: string): Promise<void> {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new TypeError(`the collector refused a trace: ${await response.text()}`);
  await response.body?.cancel();
}
