/** Reading traces: what each model call was sent, and texts that spans only name. Pure functions over OTLP JSON, for Node and for browsers. */
export { withNamedTexts } from "./view/named-texts.ts";
export { rebuildView, TraceViews } from "./view/rebuild-view.ts";

export type { MissingReason, ModelView, ViewItem } from "./view/rebuild-view.ts";
export type { Recorded } from "./view/trace-texts.ts";
