/** What a browser sees while the viewer is not built: a plain list of traces, and a trace's talk. No scripts. */
import type { TraceHealth, TraceSummary, Transcript } from "@weft/tracing/http";
import type { Store } from "../store/store.ts";
import { sendBytes } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";

const style =
  "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem;color-scheme:light dark}" +
  "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .8rem .3rem 0}" +
  "pre{white-space:pre-wrap;font:inherit;margin:.2rem 0 1rem}";

const headers = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
};

/** `/` and `/traces/{id}`; returns false for any other path. */
export async function plainPage(exchange: Exchange, store: Store): Promise<boolean> {
  if (exchange.path === "/") {
    const { traces } = await store.listSummaries({ pageSize: 100 });
    send(exchange, 200, "Weft traces", listHtml(traces));
    return true;
  }
  const traceId = /^\/traces\/([0-9a-f]{32})$/.exec(exchange.path)?.[1];
  if (traceId === undefined) return false;
  const summary = await store.summary(traceId);
  const transcript = await store.transcript(traceId);
  const health = await store.health(traceId);
  if (summary === undefined || transcript === undefined || health === undefined) {
    send(exchange, 404, "No such trace", `<p>No trace ${traceId} is stored. <a href="/">All traces</a></p>`);
  } else send(exchange, 200, summary.rootName, traceHtml(summary, transcript, health));
  return true;
}

function listHtml(traces: readonly TraceSummary[]): string {
  if (traces.length === 0) return "<p>No traces yet.</p>";
  const rows = traces.map(
    (trace) =>
      `<tr><td><a href="/traces/${trace.traceId}">${escape(trace.rootName)}</a></td><td>${trace.state}</td>` +
      `<td>${escape(trace.startTime)}</td><td>${trace.durationMs.toFixed(1)} ms</td><td>${String(trace.spanCount)}</td>` +
      `<td>${escape(trace.services.join(", "))}</td></tr>`,
  );
  const head = ["trace", "state", "start", "duration", "spans", "services"]
    .map((name) => `<th>${name}</th>`)
    .join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function traceHtml(summary: TraceSummary, transcript: Transcript, health: TraceHealth): string {
  const facts =
    `${summary.state}, ${String(summary.spanCount)} spans, ${String(health.roots)} root(s), ` +
    `${String(health.orphans)} orphan(s), services: ${summary.services.join(", ")}`;
  const talk = transcript.messages.map((message) => {
    const calls = (message.toolCalls ?? []).map((call) => `${call.name}(${call.arguments})`);
    const responses = (message.toolResponses ?? []).map(({ content }) => `→ ${content}`);
    const text = [message.text, ...calls, ...responses].filter((line) => line !== "").join("\n");
    return `<b>${escape(message.from)}</b> · ${escape(message.service)}<pre>${escape(text)}</pre>`;
  });
  const api = `/api/traces/${summary.traceId}`;
  return (
    `<p>${escape(facts)}</p><p><a href="/">All traces</a> · <a href="${api}">OTLP JSON</a> · ` +
    `<a href="${api}/health">health</a></p>${talk.join("")}`
  );
}

function send(exchange: Exchange, status: number, title: string, main: string): void {
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>` +
    `<style>${style}</style></head><body><h1>${escape(title)}</h1><main>${main}</main></body></html>\n`;
  sendBytes(exchange, status, "text/html; charset=utf-8", Buffer.from(html), headers);
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
