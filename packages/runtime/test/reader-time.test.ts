/** What a client's limits leave out: the time that its own reader takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTimeouts } from "../src/client/timeouts.ts";
import { connect } from "../src/index.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings, heldAgent, startService } from "./support.ts";

const timeout = 30_000;
const request = sendRequest("go");

test("a reader's own time is no silence of its service, on every binding", { timeout }, async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const { unaryMs, streamIdleMs } = defaultTimeouts;
  for (const binding of bindings) {
    const { agent, release } = heldAgent(["last"], ["first"]);
    await using service = await startService(agent);
    await using client = await connect(service.url, { binding });
    const stream = client.sendMessageStream(request);
    for (let step = await stream.next(); step.value?.payload?.$case !== "artifactUpdate";) {
      step = await stream.next();
    }
    // The reader is busy for longer than a call, or a silence, may last; the connection goes on meanwhile.
    for (let ms = 0; ms < 2 * Math.max(unaryMs, streamIdleMs); ms += 5_000) {
      t.mock.timers.tick(5_000);
      await client.listTasks(listRequest());
    }
    release();
    const rest = await Array.fromAsync(stream);
    assert.equal(rest.at(-1)?.payload?.$case, "statusUpdate", binding);
  }
});
