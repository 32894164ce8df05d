/**
 * The viewer's files, and the one page behind every address it has (`/`, `/traces/…`).
 *
 * A path is taken apart before the file system sees it: only plain names below the viewer's folder, no dot files, no
 * links that lead out.
 */
import { existsSync, realpathSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { sendBytes } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".map": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

const policy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const pageHeaders = { "content-security-policy": policy, "referrer-policy": "no-referrer" };

/** The viewer's folder: beside the published package, or its build in this repository; undefined when not built. */
export function findViewer(): string | undefined {
  const candidates = ["../../viewer", "../../../viewer/dist"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return candidates.find((folder) => existsSync(join(folder, "index.html")));
}

export class ViewerFiles {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = realpathSync(folder);
  }

  /** Returns false when the viewer has no such file or page. */
  async serve(exchange: Exchange): Promise<boolean> {
    const names = parsePath(exchange.path);
    if (names === undefined) return false;
    const isPage = names.length === 0 || names[0] === "traces";
    const file = isPage ? "index.html" : join(...names);
    const body = await this.read(file);
    if (body === undefined) return false;
    // Built assets carry a hash of their content in their names.
    const cache = names[0] === "assets" ? "public, max-age=31536000, immutable" : "no-cache";
    const type = types[extname(file)] ?? "application/octet-stream";
    sendBytes(exchange, 200, type, body, { ...pageHeaders, "cache-control": cache });
    return true;
  }

  private async read(file: string): Promise<Buffer | undefined> {
    try {
      const path = await realpath(join(this.folder, file));
      if (!path.startsWith(this.folder + sep)) return undefined;
      return await readFile(path);
    } catch {
      return undefined;
    }
  }
}

/** The path's names; undefined for a path that no page and no file of the viewer has. */
function parsePath(path: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const part of path.split("/").filter((part) => part !== "")) {
    let name: string;
    try {
      name = decodeURIComponent(part);
    } catch {
      return undefined;
    }
    if (name.startsWith(".") || !/^[\w.-]+$/.test(name)) return undefined;
    names.push(name);
  }
  return names;
}
