/** A collector for one test, and the few requests tests make. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startCollector } from "@weft/collector";
import type { Collector, CollectorOptions } from "@weft/collector";

export async function useCollector(t: TestContext, options: CollectorOptions = {}): Promise<Collector> {
  const collector = await startCollector({ port: 0, viewer: false, ...options });
  t.after(() => collector.close());
  return collector;
}

export async function useFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weft-collector-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function post(
  url: string,
  body: unknown,
  contentType = "application/json",
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": contentType, ...headers },
    body:
      body instanceof Uint8Array ? Buffer.from(body) : typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Posts and asserts that all of it was taken. */
export async function store(
  url: string,
  body: unknown,
  contentType?: string,
  headers?: Record<string, string>,
): Promise<void> {
  const response = await post(url, body, contentType, headers);
  assert.equal(response.status, 200, await response.clone().text());
  if (contentType === undefined) assert.deepEqual(await response.json(), {});
  else assert.equal((await response.arrayBuffer()).byteLength <= 2, true);
}

export async function get<T>(url: string, path: string): Promise<T> {
  const response = await fetch(url + path);
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return (await response.json()) as T;
}
