#!/usr/bin/env node
import { readFileSync } from "node:fs";
import process from "node:process";
import type { CommandEntry } from "./command/command.ts";
import { runCommand } from "./command/run-command.ts";
import { openTerminal } from "./process/open-terminal.ts";

const commands: readonly CommandEntry[] = [
  {
    name: "view",
    summary: "start a collector and its viewer",
    load: async () => (await import("./commands/view.ts")).view,
  },
  {
    name: "serve",
    summary: "serve the agent of a module over A2A",
    load: async () => (await import("./commands/serve.ts")).serve,
  },
  {
    name: "call",
    summary: "send a text to an agent",
    load: async () => (await import("./commands/call.ts")).call,
  },
  {
    name: "card",
    summary: "print an agent's card",
    load: async () => (await import("./commands/card.ts")).card,
  },
  {
    name: "traces",
    summary: "list stored traces",
    load: async () => (await import("./commands/traces.ts")).traces,
  },
  {
    name: "trace",
    summary: "print a trace as a tree",
    load: async () => (await import("./commands/trace.ts")).trace,
  },
];

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

process.exitCode = await runCommand(commands, process.argv.slice(2), openTerminal(), version);
