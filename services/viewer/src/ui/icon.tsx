/** Line icons on a grid of 16, drawn in the text's colour. Always beside words: hidden from screen readers. */
const paths = {
  conversation: "M2.5 3.5h8v5.5h-4l-2.5 2v-2H2.5zM12.5 6.5h1v5.5H12v1.5L10 12H7.5",
  multi_conversation: "M2.5 2.5h6v4h-3L3.8 8V6.5H2.5zM7.5 9h6v4h-1.3V14.5L10.5 13h-3z",
  agent: "M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM2.8 13.5c.5-2.6 2.6-3.8 5.2-3.8s4.7 1.2 5.2 3.8",
  llm: "M8 2l1.5 4.5L14 8l-4.5 1.5L8 14l-1.5-4.5L2 8l4.5-1.5z",
  tool: "M9.8 2.7a3.2 3.2 0 0 0-2.6 4.7L2.7 11.9l1.4 1.4 4.5-4.5a3.2 3.2 0 0 0 4.5-3.9l-1.9 1.9-1.7-.3-.3-1.7 1.9-1.9a3 3 0 0 0-1.3-.2z",
  speaker_selection:
    "M2.5 8h3.5M6 8c2.5 0 2.5-4 5-4h2.5M6 8c2.5 0 2.5 4 5 4h2.5M11.8 2.2 13.6 4l-1.8 1.8M11.8 10.2l1.8 1.8-1.8 1.8",
  human_input: "M2.5 3.5h11v7h-6L4.5 13v-2.5h-2zM5.5 7h.01M8 7h.01M10.5 7h.01",
  code_execution: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5M9 3 7 13",
  workflow: "M6 2.5h4v3H6zM2 10.5h4v3H2zM10 10.5h4v3h-4zM8 5.5V8M4 10.5V8h8v2.5",
  a2a: "M2.5 5.5h10M9.8 2.7l2.8 2.8-2.8 2.8M13.5 10.5h-10M6.2 7.7 3.4 10.5l2.8 2.8",
  queue: "M2.5 4h11M2.5 8h11M2.5 12h7",
  push: "M8 13V3.5M4.2 7.2 8 3.4l3.8 3.8M3 14h10",
  guardrail: "M8 2 13 4v4c0 3-2.2 5-5 6-2.8-1-5-3-5-6V4z",
  retrieval: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 13.5 13.5",
  task: "M3 3h10v10H3zM5.5 8l1.8 1.8L10.8 6",
  span: "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  chevron: "M6 4l4 4-4 4",
  back: "M10 4 6 8l4 4",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  dot: "M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  warning: "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.01",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z",
  link: "M6.7 9.3a2.4 2.4 0 0 0 3.5 0l2.3-2.3a2.5 2.5 0 0 0-3.5-3.5l-.8.8M9.3 6.7a2.4 2.4 0 0 0-3.5 0L3.5 9a2.5 2.5 0 0 0 3.5 3.5l.8-.8",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** The icon of a span type; a plain dot for types the page does not know. */
export function iconOfType(type: string): IconName {
  return Object.hasOwn(paths, type) ? (type as IconName) : "span";
}
