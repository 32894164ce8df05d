import { Button } from "react-aria-components/Button";
import { SpanTypes } from "@weft/tracing/vocabulary";
import type { Selection, SelectionAttempt } from "../data/selection.ts";
import type { TraceTree } from "../trace/trace-tree.ts";
import { Icon } from "../ui/icon.tsx";
import type { IconName } from "../ui/icon.tsx";
import { Section } from "./section.tsx";

export interface SelectionViewProps {
  readonly selection: Selection;
  readonly tree: TraceTree;
  readonly index: number;
  readonly onShow: (spanId: string) => void;
}

/** Why this one spoke: the outcome first, then everybody who was looked at, then how it went. */
export function SelectionView({ selection, tree, index, onShow }: SelectionViewProps) {
  const { chosen, method, reason, fallback, attempts } = selection;
  return (
    <>
      <section className="verdict" aria-label="Outcome">
        <p className="verdict-who">
          <strong>{chosen || "Nobody"}</strong> {chosen === "" ? "was chosen" : "speaks next"}
        </p>
        {method !== "" && <p className="verdict-how">chosen by {methodWords[method] ?? method}</p>}
        {reason !== "" && <p className="verdict-why">{reason}</p>}
        {fallback !== "" && <p className="verdict-fallback">Fallback: {fallback}</p>}
      </section>
      <Section title="Who could speak">
        <People selection={selection} />
      </Section>
      {attempts.length > 0 && (
        <Section title="Attempts" count={attempts.length}>
          <Attempts attempts={attempts} />
        </Section>
      )}
      <ModelCalls tree={tree} index={index} onShow={onShow} />
    </>
  );
}

const methodWords: Readonly<Record<string, string>> = {
  auto: "a model (auto)",
  roundRobin: "turn (round robin)",
  round_robin: "turn (round robin)",
  random: "chance (random)",
  manual: "a person (manual)",
  handoffs: "handoff",
  function: "a function",
};

function People({ selection: { candidates, excluded, chosen } }: { readonly selection: Selection }) {
  const out = new Map(excluded.map(({ name, reason }) => [name, reason]));
  const eligible = [...new Set(chosen === "" ? candidates : [...candidates, chosen])].filter(
    (name) => !out.has(name),
  );
  return (
    <ul className="people">
      {eligible.map((name) =>
        name === chosen ? (
          <Person key={name} name={name} icon="check" kind="chosen" note="chosen" />
        ) : (
          <Person key={name} name={name} icon="dot" kind="eligible" note="could have spoken" />
        ),
      )}
      {[...out].map(([name, reason]) => (
        <Person key={name} name={name} icon="cross" kind="excluded" note={reason || "left out"} />
      ))}
    </ul>
  );
}

interface PersonProps {
  readonly name: string;
  readonly icon: IconName;
  readonly kind: "chosen" | "eligible" | "excluded";
  readonly note: string;
}

function Person({ name, icon, kind, note }: PersonProps) {
  return (
    <li data-kind={kind}>
      <Icon name={icon} size={14} />
      <span className="person">{name}</span>
      <span className="person-note">{note}</span>
    </li>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly SelectionAttempt[] }) {
  return (
    <ol className="attempts">
      {attempts.map(({ number, named }) => (
        <li key={number}>
          <span className="attempt-number">{number}</span>
          <span>
            named {named.length === 0 ? "nobody" : named.join(" and ")}
            {named.length !== 1 && (
              <span className="quiet"> – not one alone, so it was asked again or given up</span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The model calls that were made to choose. */
function ModelCalls({ tree, index, onShow }: Omit<SelectionViewProps, "selection">) {
  const { skeleton } = tree;
  const below = Array.from({ length: tree.end(index) - index - 1 }, (_, offset) => index + 1 + offset);
  const calls = below.filter((at) => skeleton.shape(at).type === SpanTypes.llm);
  if (calls.length === 0) return undefined;
  return (
    <p className="see-also">
      {calls.map((call, order) => (
        <Button key={call} className="button small" onPress={() => onShow(skeleton.spanId(call))}>
          <Icon name="llm" size={13} />
          {calls.length === 1 ? "What the model was asked" : `What the model was asked, ${order + 1}`}
        </Button>
      ))}
    </p>
  );
}
