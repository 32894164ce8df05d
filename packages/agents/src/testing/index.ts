export { scriptedModel } from "./scripted-model.ts";
export { replayModel } from "./replay-model.ts";
export { fakeRemote } from "./fake-remote.ts";
export { humanScript } from "./human-script.ts";
export { captureTraces, traceOf } from "./traces.ts";

export type {
  ScriptedAnswer,
  ScriptedModel,
  ScriptedModelOptions,
  ScriptedReply,
  ScriptedStep,
  ScriptedToolCall,
} from "./scripted-model.ts";
export type { ReplayModel, ReplayedSpan, ReplayedTrace } from "./replay-model.ts";
export type {
  FakeRemote,
  FakeRemoteAnswer,
  FakeRemoteOptions,
  FakeRemoteReply,
  FakeRemoteRequest,
  FakeRemoteStep,
} from "./fake-remote.ts";
export type { HumanScript } from "./human-script.ts";
export type { SpanNode, TraceTree } from "./traces.ts";
