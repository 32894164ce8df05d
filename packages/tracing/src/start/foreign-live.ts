/**
 * The live channel where another SDK traces: spans end its way, and what Weft started is shown while it runs.
 */
import type { Attributes, Span } from "@opentelemetry/api";
import { LiveChannel } from "../live/live-channel.ts";
import { setForeignStartTaker } from "../live/foreign-starts.ts";
import { setPartialTextTaker } from "../live/partial-text.ts";
import { Attr, schemaUrl } from "../vocabulary.ts";
import type { Destination } from "./destinations.ts";
import { SdkRecord } from "./sdk-record.ts";
import type { SdkSpan } from "./sdk-record.ts";

const lastWordMs = 1000;

/** Returns how to stop. */
export function openForeignLive(collector: Destination, resource: Attributes): () => Promise<void> {
  const live = new LiveChannel({
    ...collector,
    instance: String(resource[Attr.serviceInstanceId]),
    service: String(resource[Attr.serviceName]),
    resource,
    schemaUrl,
    dropped: () => 0,
    // Whether its ends are told is not ours to know.
    foreign: true,
  });
  setForeignStartTaker((span) => {
    if (isSdkSpan(span)) live.onStart(new SdkRecord(span));
  });
  setPartialTextTaker(live);
  return async () => {
    setForeignStartTaker(undefined);
    setPartialTextTaker(undefined);
    await live.close(lastWordMs);
  };
}

function isSdkSpan(span: Span): span is Span & SdkSpan {
  return "attributes" in span && "startTime" in span && "instrumentationScope" in span && "ended" in span;
}
