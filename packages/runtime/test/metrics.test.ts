import assert from "node:assert/strict";
import { test } from "node:test";
import { metrics } from "@opentelemetry/api";
import type { Attributes, Meter, MeterProvider } from "@opentelemetry/api";
import { connect } from "../src/index.ts";
import { bindings, echo, startService } from "./support.ts";

/** What a metrics SDK does with instruments, as far as the service uses them. */
function recordingProvider(): { provider: MeterProvider; values: [string, number, Attributes][] } {
  const values: [string, number, Attributes][] = [];
  const create = (name: string) => {
    const note = (value: number, attributes: Attributes = {}): void =>
      void values.push([name, value, attributes]);
    return { add: note, record: note };
  };
  const meter = { createHistogram: create, createUpDownCounter: create, createCounter: create };
  return { provider: { getMeter: () => meter as unknown as Meter }, values };
}

test("each call is measured once, and errors by their code", { timeout: 20_000 }, async () => {
  const { provider, values } = recordingProvider();
  metrics.setGlobalMeterProvider(provider);
  await using service = await startService(echo);
  for (const binding of bindings) {
    values.length = 0;
    await using client = await connect(service.url, { binding });
    await client.ask("x");
    await client.getTask({ tenant: "", id: "none" }).catch(() => undefined);
    const of = (wanted: string) => values.filter(([name]) => name === `weft.a2a.server.${wanted}`);
    assert.equal(
      of("open").reduce((sum, [, value]) => sum + value, 0),
      0,
    );
    const durations = of("duration").map(([, , attributes]) => attributes["a2a.method.name"]);
    assert.deepEqual(durations, ["SendMessage", "GetTask"]);
    assert.deepEqual(
      of("errors").map(([, , attributes]) => [attributes["weft.a2a.binding"], attributes["error.type"]]),
      [[binding, "not_found"]],
    );
  }
  metrics.disable();
});
