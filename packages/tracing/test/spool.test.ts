import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startSpan } from "../src/index.ts";
import { startTracing } from "../src/node.ts";
import { DropLedger } from "../src/export/drop-ledger.ts";
import { encodeResource } from "../src/export/otlp-writer.ts";
import { adoptSpools } from "../src/spool/adopt-spools.ts";
import { headBytes, scanFrames } from "../src/spool/frame.ts";
import { Segment } from "../src/spool/segment.ts";
import type { SpoolCursor } from "../src/spool/spool-cursor.ts";
import { takeSpoolLock } from "../src/spool/spool-lock.ts";
import { createSpool, SpoolLog } from "../src/spool/spool-log.ts";
import type { SpoolOptions } from "../src/spool/spool-log.ts";
import { SpoolSink } from "../src/spool/spool-sink.ts";
import { spansOf } from "./support/decode-otlp.ts";
import type { DecodedSpan } from "./support/decode-otlp.ts";
import { startOtlpServer } from "./support/otlp-server.ts";
import { runProgram } from "./support/run-program.ts";
import { spanRecord } from "./support/span-record.ts";

const url = "http://127.0.0.1:9/v1/traces";
const silent = (): void => {};

function useFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-spool-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function optionsFor(folder: string, change: Partial<SpoolOptions> = {}): SpoolOptions {
  return {
    folder,
    name: "weft-1-abc",
    identity: {
      instance: "one",
      destinations: [url],
      schemaUrl: "",
      resource: encodeResource({ "service.name": "desk" }).toString("base64"),
    },
    maxBytes: 1e9,
    maxMemoryBytes: 1e7,
    warn: silent,
    ...change,
  };
}

interface OpenSpool {
  readonly log: SpoolLog;
  readonly sink: SpoolSink;
  readonly ledger: DropLedger;
}

function open(log: SpoolLog): OpenSpool {
  const ledger = new DropLedger(silent);
  return { log, ledger, sink: new SpoolSink(log, ledger, silent) };
}

async function adopted(folder: string): Promise<SpoolLog[]> {
  const logs: SpoolLog[] = [];
  const options = {
    folder,
    maxBytes: 1e9,
    maxMemoryBytes: 1e7,
    warn: silent,
    destinations: [url],
    except: "",
  };
  for await (const { log } of adoptSpools(options)) logs.push(log);
  return logs;
}

/** Everything that a destination would get, as it reads it. */
async function drain(cursor: SpoolCursor | undefined): Promise<DecodedSpan[]> {
  assert.ok(cursor);
  const spans: DecodedSpan[] = [];
  for (let batch = await cursor.next(); batch !== undefined; batch = await cursor.next()) {
    spans.push(...spansOf(Buffer.concat(await batch.encode(0, batch.size))));
    batch.settle();
  }
  return spans;
}

const nameOf = ({ name }: DecodedSpan): string => name;
const fileOf = (folder: string): string => {
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".spool"));
  assert.ok(file);
  return join(folder, file);
};

test("A spool that is cut at any byte of its last record loses that record and no other", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  for (const name of ["first", "second", "third"]) {
    sink.onEnd(spanRecord({ name, attributes: { text: "ü".repeat(20) } }));
    await sink.settled();
  }
  sink.close();
  log.close(true);
  const whole = readFileSync(fileOf(folder));
  const { frames, end } = scanFrames(whole);
  assert.equal(end, whole.length);
  const last = frames.at(-2)?.next ?? 0;
  assert.ok(whole.length - last > 100);
  for (let cut = last; cut <= whole.length; cut += 1) {
    const copy = useFolder(t);
    writeFileSync(join(copy, "weft-1-abc.000001.spool"), whole.subarray(0, cut));
    const [found] = await adopted(copy);
    const names = (await drain(found?.cursors[0])).map(nameOf);
    const expected = cut === whole.length ? ["first", "second", "third"] : ["first", "second"];
    assert.deepEqual(names, expected, `cut at ${cut} of ${whole.length}`);
    found?.close(false);
    assert.deepEqual(readdirSync(copy), []);
  }
});

test("A record that is damaged in the middle is stepped over", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  for (const name of ["first", "second", "third"]) sink.onEnd(spanRecord({ name }));
  await sink.settled();
  log.close(true);
  const bytes = readFileSync(fileOf(folder));
  const at = bytes.indexOf("second");
  bytes[at] = 0;
  writeFileSync(fileOf(folder), bytes);
  const [found] = await adopted(folder);
  assert.deepEqual((await drain(found?.cursors[0])).map(nameOf), ["first", "third"]);
  found?.close(false);
});

test("A large body whose head alone reached the disk is stepped over; what came after it is there", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  sink.onEnd(spanRecord({ name: "large", attributes: { text: "x".repeat(1e6) } }));
  await sink.settled();
  const start = scanFrames(readFileSync(fileOf(folder))).frames.at(-2)?.next ?? 0;
  sink.onEnd(spanRecord({ name: "after" }));
  await sink.settled();
  log.close(true);
  const bytes = readFileSync(fileOf(folder));
  bytes.fill(0, start + headBytes, start + headBytes + bytes.readUInt32LE(start));
  writeFileSync(fileOf(folder), bytes);
  const [found] = await adopted(folder);
  assert.deepEqual((await drain(found?.cursors[0])).map(nameOf), ["after"]);
  found?.close(false);
});

test("What a destination has is not sent again after a restart, what it has not is", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  for (let index = 0; index < 1000; index += 1) sink.onEnd(spanRecord({ name: `span ${index}` }));
  await sink.settled();
  const [cursor] = log.cursors;
  const batch = await cursor?.next();
  assert.equal(batch?.size, 512);
  batch?.settle();
  log.close(true);
  const [found] = await adopted(folder);
  assert.equal(found?.cursors[0]?.pending, 488);
  const names = (await drain(found?.cursors[0])).map(nameOf);
  assert.deepEqual([names.length, names[0]], [488, "span 512"]);
  found?.close(true);
  const [again] = await adopted(folder);
  assert.deepEqual(await drain(again?.cursors[0]), []);
  again?.close(false);
});

test("An open span is closed once, however often adopting breaks off", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  sink.onStart(spanRecord({ name: "open", endTime: 0, attributes: { early: 1 } }));
  await sink.settled();
  log.close(true);
  for (let time = 0; time < 3; time += 1) {
    const [found] = await adopted(folder);
    assert.equal(found?.cursors[0]?.pending, 1);
    found?.close(true);
  }
  const [found] = await adopted(folder);
  const [closing, ...others] = await drain(found?.cursors[0]);
  assert.deepEqual(others, []);
  assert.deepEqual(closing?.attributes, { early: 1, "weft.outcome": "lost", "error.type": "lost" });
  assert.deepEqual(closing?.["status"], { code: 2 });
  found?.close(false);
});

test("A span that starts and ends in one turn leaves no start; one that ended later leaves nothing to close", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  const short = spanRecord({ name: "short" });
  const long = spanRecord({ name: "long" });
  sink.onStart(short);
  sink.onStart(long);
  sink.onEnd(short);
  await sink.settled();
  const starts = scanFrames(readFileSync(fileOf(folder))).frames.filter(({ kind }) => kind === 3);
  assert.deepEqual(
    starts.map(({ payload }) => payload.includes("long")),
    [true],
  );
  sink.onEnd(long);
  await sink.settled();
  log.close(true);
  const [found] = await adopted(folder);
  assert.deepEqual((await drain(found?.cursors[0])).map(nameOf), ["short", "long"]);
  found?.close(false);
});

test("A spool whose process lives is left alone, and only one of two takes over one that is free", async (t) => {
  const folder = useFolder(t);
  const { log, sink } = open(createSpool(optionsFor(folder)));
  sink.onEnd(spanRecord());
  await sink.settled();
  assert.deepEqual(await adopted(folder), []);
  log.close(true);
  const first = await adopted(folder);
  assert.equal(first.length, 1);
  assert.deepEqual(await adopted(folder), []);
  first[0]?.close(false);
  assert.deepEqual(readdirSync(folder), []);
});

test("What was recorded for one destination is sent to no other", async (t) => {
  const folder = useFolder(t);
  const identity = { ...optionsFor(folder).identity, destinations: ["http://elsewhere/v1/traces"] };
  const { log, sink } = open(createSpool(optionsFor(folder, { identity })));
  sink.onEnd(spanRecord());
  await sink.settled();
  log.close(true);
  assert.deepEqual(await adopted(folder), []);
  assert.ok(existsSync(fileOf(folder)));
});

test("Loss matrix, disk full: what the disk does not take waits in memory, is delivered, and is said", async (t) => {
  if (!existsSync("/dev/full")) return t.skip("needs /dev/full, a disk that is always full");
  const folder = useFolder(t);
  const warnings: string[] = [];
  const lock = takeSpoolLock(join(folder, "weft-1-abc.lock"));
  assert.ok(lock);
  const options = optionsFor(folder, { warn: (message) => warnings.push(message) });
  const log = new SpoolLog(options, lock, [new Segment("/dev/full", 1, 0)]);
  log.isAdopted = true;
  const { sink, ledger } = open(log);
  const large = "x".repeat(1e6);
  for (let index = 0; index < 100; index += 1) sink.onEnd(spanRecord({ name: `span ${index}` }));
  sink.onEnd(spanRecord({ name: "large", attributes: { large } }));
  await sink.settled();
  const spans = await drain(log.cursors[0]);
  assert.equal(spans.length, 101);
  assert.equal(spans.find(({ name }) => name === "large")?.attributes["large"], large);
  assert.match(warnings.join("\n"), /cannot be written \(ENOSPC\)/);
  assert.equal(ledger.total, 0);
});

test("A folder that cannot be used is said, and spans go out without a spool", async (t) => {
  const folder = useFolder(t);
  writeFileSync(join(folder, "file"), "");
  await using server = await startOtlpServer();
  const { code, stderr } = await runProgram("loss", ["natural", "10"], {
    WEFT_COLLECTOR: server.url,
    WEFT_SPOOL: join(folder, "file", "below"),
  }).end;
  assert.equal(code, 0);
  assert.match(stderr, /There is no spool \(.*ENOTDIR/);
  assert.equal(server.spans.length, 10);
});

test("A full spool drops what comes, counts it, and the next span that gets out says so", async (t) => {
  const folder = useFolder(t);
  const { log, sink, ledger } = open(createSpool(optionsFor(folder, { maxBytes: 20_000 })));
  for (let index = 0; index < 100; index += 1) {
    sink.onEnd(spanRecord({ attributes: { text: "x".repeat(1000) } }));
    await sink.settled();
  }
  const kept = log.cursors[0]?.pending ?? 0;
  assert.ok(kept > 10 && kept < 20);
  assert.equal(ledger.total, 100 - kept);
  assert.ok(statSync(fileOf(folder)).size < 22_000);
  await drain(log.cursors[0]);
  sink.onEnd(spanRecord({ name: "there is room again" }));
  await sink.settled();
  const [next] = await drain(log.cursors[0]);
  assert.equal(next?.name, "there is room again");
  assert.equal(next.attributes["weft.dropped_spans"], 100 - kept);
  sink.close();
  log.close(false);
});

test("A spool of many megabytes goes through in segments and leaves nothing", async (t) => {
  const spool = useFolder(t);
  await using server = await startOtlpServer();
  {
    await using tracing = startTracing({ collector: server.url, spool, shutdownTimeoutMs: 60_000 });
    for (let index = 0; index < 20_000; index += 1)
      startSpan({ name: `span ${index}`, attributes: { text: "y".repeat(2000) } }).end();
    // 40 MB are more than two segments.
    assert.ok(readdirSync(spool).filter((file) => file.endsWith(".spool")).length >= 2);
    await tracing.flush();
    assert.ok((tracing.stats().spool?.bytes ?? Infinity) < 17e6);
  }
  assert.equal(new Set(server.spans.map(({ spanId }) => spanId)).size, 20_000);
  assert.equal(server.spans.length, 20_000);
  assert.deepEqual(readdirSync(spool), []);
});

for (const mode of ["exit", "natural"]) {
  test(`Large bodies of 1 and 5 MB, in two scripts, are whole after ${mode} and the next start`, async (t) => {
    const spool = useFolder(t);
    await using server = await startOtlpServer();
    const environment = { WEFT_COLLECTOR: server.url, WEFT_SPOOL: spool, TEST_SHUTDOWN_MS: "30000" };
    for (const bytes of ["1000000", "5000000"]) {
      const { stderr } = await runProgram("loss", [mode, "3", bytes], environment).end;
      assert.equal(stderr, "");
    }
    await runProgram("loss", ["natural", "0"], environment).end;
    const texts = server.spans.map(({ attributes }) => String(attributes["text"]));
    assert.deepEqual(
      texts.map(({ length }) => length).sort((a, b) => a - b),
      [1e6, 1e6, 1e6, 5e6, 5e6, 5e6],
    );
    for (const [index, { attributes }] of server.spans.entries()) {
      assert.ok(attributes["weft.inputs"] === JSON.stringify({ text: texts[index] }));
    }
  });
}

for (const spooled of [false, true]) {
  test(`One span that the collector cannot read takes no other with it (${spooled ? "spool" : "no spool"})`, async (t) => {
    const spool = useFolder(t);
    await using server = await startOtlpServer((_request, _response, body) =>
      body.includes("poison") ? 400 : 200,
    );
    const tracing = startTracing({ collector: server.url, ...(spooled ? { spool } : {}) });
    for (let index = 0; index < 300; index += 1) startSpan(index === 123 ? "poison" : `span ${index}`).end();
    await tracing.flush();
    assert.equal(server.spans.length, 299);
    assert.equal(new Set(server.spans.map(({ name }) => name)).size, 299);
    const [destination] = tracing.stats().destinations;
    assert.deepEqual([destination?.delivered, destination?.dropped, destination?.queued], [299, 1, 0]);
    const asked = server.requests.length;
    await tracing.flush();
    assert.equal(server.requests.length, asked, "it is not sent again");
    await tracing.shutdown();
    const aside = readdirSync(spool).filter((file) => file.endsWith(".refused"));
    assert.equal(aside.length, spooled ? 1 : 0);
    if (spooled) assert.ok(readFileSync(join(spool, aside[0] ?? "")).includes("poison"));
  });
}
