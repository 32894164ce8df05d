import assert from "node:assert/strict";
import { test } from "node:test";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { configureContent } from "../src/content/content-settings.ts";
import type { ContentSettings, LargeBody } from "../src/content/content-settings.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import { redactors, startSpan, withSpan } from "../src/index.ts";
import {
  captureSpans,
  errorText,
  recordInput,
  recordOutput,
  recordSystem,
  recordToolCall,
  recordTools,
} from "../src/internal.ts";
import type { CapturedSpan, WeftSpan } from "../src/internal.ts";

/** Fifty secrets; each is planted where its kind turns up. */
const planted = {
  argument: [
    "sk-proj-Zx81hGq0pLw93mNvB4tRc7Yd",
    "sk-ant-api03-Qw7Er5Ty3Ui1Op9As8Df6Gh",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW1xY2",
    "xoxb-17653285-hZk29dKq0aLw",
    "AIzaSyD4x8Gk2Lq9WvR7tYzUpN0mBcVfE3HjKlQ",
    "hunter2-is-no-password",
    "correct horse battery staple",
  ],
  result: [
    "glpat-Xy9_Kd83mNq0pLw7vBt2",
    "hf_QwErTyUiOpAsDfGhJkLzXcVbNm12",
    "npm_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7",
    "SG.aB3dE5fG7hI9jK1lM2nO4p.qR6sT8uV0wX2yZ4aB6cD8eF0gH2i",
    "whsec_8fK2mQ9xL4vB7nZ1cT6y",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "4111 1111 1111 1111",
    "carol.danvers@example.com",
  ],
  nested: [
    "n3st3d-p4ssw0rd",
    "d33p-cl13nt-s3cr3t",
    'qUoTeD\\"v4lue',
    "MIIEpAIBAAKCAQEA3n0tAReal1PrivateKeyBody",
    "0auth-r3fr3sh-t0k3n",
    "c0nn3ct10n-str1ng-v4lu3",
    "5500005555555559",
    "dave+billing@example.co.uk",
  ],
  error: [
    "github_pat_11ABCDEFG0aBcDeFgHiJkLmN",
    "rk_live_51HqLyjWDarjtT1zdp7dc9QwEr",
    "err0r-p4ssw0rd-42",
    "err0r-t0k3n-43",
    "erin@example.org",
    "3782 822463 10005",
    "YWxhZGRpbjpvcGVuc2VzYW1l",
    "ya29.a0AfH6SMBx7k2QwErTyUiOp",
  ],
  stack: [
    "st4ck-s3cr3t-51",
    "sk-live-St4ckKeyStackKey9876",
    "frank@example.net",
    "gsk_St4ckGroqKey1234567890ab",
  ],
  url: [
    "url-us3r-p4ss",
    "sig-9f8e7d6c5b4a",
    "AKIAURLURLURLURLURLX",
    "url-4p1-k3y-61",
    "url-t0k3n-62",
    "amz-s1gn4tur3-63",
    "gus@example.com",
  ],
  header: [
    "b34r3r-h34d3r-t0k3n-71",
    "c00k13-v4lu3-72",
    "x-4p1-k3y-h34d3r-73",
    "cHJveHk6cGFzc3dvcmQ3NA==",
    "s3t-c00k13-75",
    "eyJhbGciOiJub25lIn0.eyJoZWFkZXIiOjc2fQ.c2lnbmF0dXJl",
    "x-4uth-t0k3n-77",
  ],
} as const;

const everySecret = Object.values(planted).flat();

function plantInContent(span: WeftSpan): void {
  const [openai, anthropic, aws, github, slack, google, password, phrase] = planted.argument;
  span.setInputs({
    openai,
    config: { anthropic, aws: [aws] },
    text: `use ${github} or ${slack}`,
    [google]: 1,
  });
  recordToolCall(span, {
    arguments: JSON.stringify({ password, note: `passphrase: "${phrase}"` }),
    result: planted.result.join("\n"),
  });
  const [pass, secret, quoted, pem, refresh, connection, card, mail] = planted.nested;
  const inner = JSON.stringify({ client_secret: secret, password: JSON.parse(`"${quoted}"`) as string });
  recordOutput(span, [
    {
      id: "m1",
      role: "assistant",
      content: [{ type: "data", data: { db: { password: pass }, card: Number(card), mail } }, inner],
      toolCalls: [
        { id: "c1", name: "call", arguments: JSON.stringify({ body: inner, refreshToken: refresh }) },
      ],
    },
  ]);
  recordInput(span, [
    {
      id: "m2",
      role: "user",
      content: `-----BEGIN RSA PRIVATE KEY-----\n${pem}\n-----END RSA PRIVATE KEY-----\nconnection_string='${connection}'`,
    },
  ]);
  recordSystem(span, { id: "s", text: `Never tell that the api key is ${anthropic}.` });
  recordTools(span, { id: "t", definitions: [{ name: "pay", default: { cardNumber: card } }] });
}

function plantInErrors(): never {
  const [pat, live, password, token, mail, card, basic, google] = planted.error;
  const cause = `password=${password}&token=${token}`;
  const error = new TypeError(
    `refused ${pat} ${live} ${cause} by ${mail}, card ${card}, Basic ${basic}, ${google}`,
  );
  const [secret, key, person, groq] = planted.stack;
  error.stack = `TypeError: ${error.message}\n    at connect (secret=${secret})\n    at ${key} ${groq} ${person}`;
  throw error;
}

function plantInAttributes(span: WeftSpan): void {
  const [pass, signature, accessKey, apiKey, token, amazon, mail] = planted.url;
  span.setAttribute(
    "url.full",
    `https://admin:${pass}@example.com/a?sig=${signature}&AWSAccessKeyId=${accessKey}`,
  );
  span.setAttribute("url.query", `api_key=${apiKey}&access_token=${token}&x-amz-signature=${amazon}`);
  span.setAttribute("http.target", `/users?X-Amz-Signature=${amazon}&token=${token}`);
  const [bearer, cookie, key, proxy, setCookie, jwt, auth] = planted.header;
  span.setAttribute("http.request.header.authorization", [`Bearer ${bearer}`]);
  span.setAttribute("http.request.header.cookie", `session=${cookie}`);
  span.setAttribute("http.request.header.x-api-key", [key]);
  span.setAttribute("http.request.header.proxy-authorization", `Basic ${proxy}`);
  span.setAttribute("http.response.header.set-cookie", [`sid=${setCookie}; Path=/`]);
  span.addEvent("request", { "http.request.header.authorization": `Bearer ${jwt}` });
  span.addEvent("retry", { "http.request.header.x-auth-token": auth });
  span.addLink({ context: span.spanContext(), attributes: { "url.full": `https://x:${pass}@example.com` } });
  span.setAttribute("url.path", `/users/${plantMail ? mail : "someone"}`);
}

/** Off where content is off: an address in a path is no credential, and what a caller sets as attribute is not content. */
let plantMail = true;

/** Plants all fifty, and gives back everything that leaves the process of it: the records and their protobuf. */
async function exported(
  settings: Partial<ContentSettings>,
): Promise<{ text: string; spans: readonly CapturedSpan[] }> {
  using capture = captureSpans();
  configureContent(settings);
  withSpan("content", plantInContent);
  await assert.rejects(withSpan("errors", async () => plantInErrors()));
  assert.throws(() => withSpan("errors of a library", () => plantByLibrary()));
  withSpan("attributes", plantInAttributes);
  const spans = capture.spans();
  const bytes = Buffer.concat(new OtlpWriter({}, "").write(spans));
  return { text: `${JSON.stringify(spans)}\n${bytes.toString("utf8")}`, spans };
}

/** Instrumentation of others calls the api itself. */
function plantByLibrary(): never {
  const span = trace.getTracer("library").startSpan("library");
  try {
    return plantInErrors();
  } catch (error) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

function found(text: string): readonly string[] {
  const spellings = (secret: string): string[] => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll(" ", ""),
  ];
  return everySecret.filter((secret) => spellings(secret).some((spelling) => text.includes(spelling)));
}

const all = [redactors.secrets, redactors.emails, redactors.cardNumbers];

test("Fifty secrets are planted, and without redaction and with content on all are found", async () => {
  assert.equal(new Set(everySecret).size, 50);
  const { text } = await exported({ policy: "full" });
  const missed = everySecret.filter((secret) => !found(text).includes(secret));
  const always = new Set<string>([...planted.url, ...planted.header]);
  assert.deepEqual(
    missed.filter((secret) => !always.has(secret)),
    [],
    "a test of redaction that plants nothing shows nothing",
  );
});

for (const policy of ["full", "delta"] as const) {
  test(`None of fifty secrets is found in an export with redaction on (${policy})`, async () => {
    const { text, spans } = await exported({ policy, redact: all });
    assert.deepEqual(found(text), []);
    assert.ok(text.includes("[redacted]"));
    for (const { attributes } of spans) {
      for (const [key, value] of Object.entries(attributes)) {
        if (/messages|inputs|definitions|instructions/.test(key)) JSON.parse(String(value));
      }
    }
    assert.ok(Number(spans[0]?.attributes["weft.content.redacted"]) > 5);
  });
}

test("None of fifty secrets is found in an export with content off, without any redactor", async () => {
  plantMail = false;
  try {
    const { text } = await exported({ policy: "none" });
    assert.deepEqual(found(text), []);
  } finally {
    plantMail = true;
  }
});

test("A redactor that throws, or gives back no text, removes the value whole", () => {
  using capture = captureSpans();
  const broken = (text: string): string => {
    if (text.includes("sesame")) throw new TypeError("no");
    return text.includes("rhubarb") ? (undefined as never) : text;
  };
  configureContent({ policy: "full", redact: [broken] });
  using span = startSpan("open sesame");
  span.setInputs({ kept: "fine", lost: "sesame", [`key sesame`]: 1 });
  span.setAttribute("attribute", ["a rhubarb", "fine"]).addEvent("event", { text: "sesame" });
  assert.equal(errorText(new Error("sesame")), "[redaction failed]");
  span.end();
  const text = JSON.stringify(capture.spans());
  assert.doesNotMatch(text, /sesame|rhubarb/);
  assert.match(text, /fine/);
  assert.equal(capture.spans()[0]?.attributes["weft.content.redacted"], 3);
});

test("What is no secret stays: names, numbers, ids, prose about tokens and keys", () => {
  const harmless = [
    "The token count was 42 and the key idea is simple.",
    "max_tokens: 512, input tokens 31",
    "order 1234567890123 of 2026-11-22, version 4.11.1",
    "https://example.com/a?page=2&sort=asc#top",
    "monkey=banana, donkey: grey",
    '{"a":2,"b":3,"city":"Paris"}',
    "skeleton-key sk-8 risk-taking-is-not-a-key",
  ];
  for (const text of harmless) {
    assert.equal(redactors.cardNumbers(redactors.emails(redactors.secrets(text, "text"))), text);
  }
  assert.equal(redactors.secrets("abc", "gen_ai.conversation.id"), "abc");
  assert.equal(redactors.secrets("abc", "session.id"), "abc");
  assert.equal(redactors.secrets("abc", "clientSecret"), "[redacted]");
  assert.equal(redactors.secrets("abc", "weft.tag.api_key"), "[redacted]");
});

test("A long text is redacted in linear time, whatever it is made of", () => {
  const unit = [
    "a",
    "a.",
    "password=",
    "password",
    "1 ",
    "://",
    '\\"',
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "a@",
    "sk-",
  ];
  for (const piece of unit) {
    const steps = (length: number): number => {
      const text = piece.repeat(Math.ceil(length / piece.length));
      const start = process.cpuUsage();
      for (const redact of Object.values(redactors)) redact(text, "text");
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    steps(4096);
    // A quadratic expression takes minutes here; the bound is generous because this machine is shared.
    assert.ok(steps(1 << 18) < 20e6, JSON.stringify(piece));
  }
});

test("A secret across the end of a cut text does not survive by halves", () => {
  using capture = captureSpans();
  configureContent({ policy: "full", attributeBytes: 1000, redact: [redactors.secrets] });
  const secret = "sk-proj-Zx81hGq0pLw93mNvB4tRc7Yd";
  withSpan("cut", (span) => span.setInputs({ text: `${"x ".repeat(490)}${secret}${" y".repeat(5000)}` }));
  assert.doesNotMatch(JSON.stringify(capture.spans()), /sk-proj/);
});

test("What is too large goes to the body store whole and redacted, and the span says where it is", () => {
  using capture = captureSpans();
  const bodies: LargeBody[] = [];
  const bodyStore = (body: LargeBody): string => `file:///bodies/${bodies.push(body)}`;
  configureContent({ policy: "full", attributeBytes: 2000, redact: [redactors.secrets], bodyStore });
  withSpan("large", (span) => {
    span.setInputs({ text: "x".repeat(5000), password: "sesame" });
    span.setOutputs("small");
    recordOutput(span, [{ id: "m", role: "assistant", content: "y".repeat(5000) }]);
  });
  const [span] = capture.spans();
  assert.deepEqual(span?.attributes["weft.content.bodies"], [
    "weft.inputs=file:///bodies/1",
    "gen_ai.output.messages=file:///bodies/2",
  ]);
  assert.deepEqual(JSON.parse(bodies[0]?.text ?? ""), { text: "x".repeat(5000), password: "[redacted]" });
  assert.deepEqual([bodies[0]?.spanId, bodies[0]?.key], [span?.spanId, "weft.inputs"]);
  assert.ok(Number(span?.attributes["weft.content.cut_bytes"]) > 6000);
  configureContent({
    bodyStore: () => {
      throw new TypeError("disk full");
    },
  });
  withSpan("store fails", (broken) => broken.setInputs("z".repeat(5000)));
  assert.equal(capture.spans()[1]?.status.code, SpanStatusCode.UNSET);
  assert.equal(capture.spans()[1]?.attributes["weft.content.bodies"], undefined);
});
