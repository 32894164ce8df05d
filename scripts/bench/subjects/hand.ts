/** The limits: a record into preallocated columns under AsyncLocalStorage, a writer over one reused buffer, JSON.stringify alone. */
import { AsyncLocalStorage } from "node:async_hooks";
import { runSubject } from "./run-subject.ts";

const storage = new AsyncLocalStorage<number>();
const capacity = 1 << 16;
const starts = new Float64Array(capacity);
const ends = new Float64Array(capacity);
const ids = new BigUint64Array(capacity);
const parents = new Int32Array(capacity);
const names: string[] = Array.from({ length: capacity }, () => "");
const values: unknown[] = Array.from({ length: capacity * 5 }, () => undefined);
let next = 0;
let id = 0n;

function start(name: string): number {
  const at = next++ & (capacity - 1);
  starts[at] = performance.now();
  ids[at] = ++id;
  parents[at] = storage.getStore() ?? -1;
  names[at] = name;
  return at;
}

function end(at: number): void {
  ends[at] = performance.now();
}

const open = (at: number): number => at;

const buffer = Buffer.allocUnsafe(64 << 20);

/** Tag, length and bytes of one field; the length always in four bytes, which protobuf allows. */
function writeText(at: number, tag: number, text: string): number {
  buffer[at] = tag;
  const bytes = buffer.write(text, at + 5, "latin1");
  for (let digit = 0; digit < 4; digit += 1) {
    buffer[at + 1 + digit] = ((bytes >> (7 * digit)) & 0x7f) | (digit < 3 ? 0x80 : 0);
  }
  return at + 5 + bytes;
}

function writeSpan(from: number, text: string): number {
  let at = from;
  at += buffer.write("0af7651916cd43dd8448eb211c80319c", at, 16, "hex");
  at += buffer.write("b7ad6b7169203331", at, 8, "hex");
  at = writeText(at, 0x2a, "chat gpt");
  at = buffer.writeDoubleLE(1_795_311_934_547, at);
  at = buffer.writeDoubleLE(1_795_311_934_548, at);
  for (const key of ["gen_ai.operation.name", "gen_ai.usage.input_tokens", "text"])
    at = writeText(at, 0x0a, key);
  at = writeText(at, 0x12, "chat");
  at = buffer.writeInt32LE(12, at);
  return writeText(at, 0x12, text);
}

await runSubject({
  bare: () => storage.run(start("span"), () => end(open(next - 1) & (capacity - 1))),
  attributes: () => {
    const at = start("span");
    storage.run(at, () => {
      values[at * 5] = "text";
      values[at * 5 + 1] = 1;
      values[at * 5 + 2] = true;
      values[at * 5 + 3] = "other text";
      values[at * 5 + 4] = 2.5;
      end(at);
    });
  },
  turn: async () => {
    const turn = start("turn");
    await storage.run(turn, async () => {
      for (let step = 0; step < 7; step += 1) {
        const at = start("step");
        await storage.run(at, async () => end(at));
      }
    });
    end(turn);
  },
  content: (payload) => void JSON.stringify(payload),
  encode: (spans, text) => () => {
    let at = 0;
    for (let span = 0; span < spans; span += 1) at = writeSpan(at, text);
    return at;
  },
  drain: () => new Promise((resolve) => setImmediate(resolve)),
});
