/*
 * What grows: the cost of a turn with the length of its chat, the memory of agents that wait, the time of an import.
 *
 *     node --expose-gc --conditions=@weft/source packages/agents/bench/scale.ts
 */
import { ConversableAgent, GroupChat } from "@weft/agents";
import type { ChatModel } from "@weft/agents";

const model: ChatModel = {
  provider: "bench",
  modelId: "instant",
  generate: async () => ({ text: "yes", toolCalls: [], finishReason: "stop" }),
  async *stream() {
    yield { type: "text-delta", text: "yes" };
    yield { type: "finish", response: { text: "yes", toolCalls: [], finishReason: "stop" } };
  },
};

async function usPerTurn(turns: number): Promise<number> {
  const agents = ["a", "b", "c"].map(
    (name) =>
      new ConversableAgent({ name, model, humanInputMode: "NEVER", maxConsecutiveAutoReply: Infinity }),
  );
  const group = new GroupChat({ agents, speakerSelection: "roundRobin", maxRound: turns + 1 });
  const started = process.cpuUsage();
  await group.run("go").result;
  const { user, system } = process.cpuUsage(started);
  return (user + system) / turns;
}

/** Ten short chats, then one long one, in turn, so that both meet the same machine; the least of each: noise only adds. */
async function compare(rounds: number): Promise<{ readonly short: number; readonly long: number }> {
  let [short, long] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    let sum = 0;
    for (let i = 0; i < 10; i++) sum += await usPerTurn(100);
    short = Math.min(short, sum / 10);
    long = Math.min(long, await usPerTurn(1_000));
  }
  return { short, long };
}

function idleMb(count: number): number | undefined {
  if (!globalThis.gc) return undefined;
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const agents = Array.from(
    { length: count },
    (_, index) => new ConversableAgent({ name: `agent-${index}`, model }),
  );
  globalThis.gc();
  const after = process.memoryUsage().heapUsed;
  return agents.length === count ? (after - before) / 1024 / 1024 : undefined;
}

export async function benchScale() {
  await compare(5);
  const { short, long } = await compare(10);
  return { short, long, ratio: long / short, idleMb: idleMb(10_000) };
}

if (import.meta.main) {
  console.table([await benchScale()]);
}
