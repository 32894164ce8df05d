import { Button } from "react-aria-components/Button";
import type { OtlpEvent, OtlpLink, SpanDetail } from "@weft/tracing/http";
import { showValue, toAttributes } from "../data/otlp-value.ts";
import type { Attributes } from "../data/otlp-value.ts";
import { groupFacts } from "../data/span-facts.ts";
import type { Fact } from "../data/span-facts.ts";
import { linkTo } from "../router/use-route.ts";
import type { TraceTree } from "../trace/trace-tree.ts";
import { formatDuration } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Section } from "./section.tsx";

export interface SpanFactsViewProps {
  readonly detail: SpanDetail;
  readonly tree: TraceTree;
  readonly onShow: (spanId: string) => void;
}

/** The rest of what a span carries: attributes by group, events, links, where it came from. */
export function SpanFactsView({ detail, tree, onShow }: SpanFactsViewProps) {
  const { span, resource, scope } = detail;
  const { events = [], links = [] } = span;
  return (
    <>
      {groupFacts(toAttributes(span.attributes)).map(({ title, facts }) => (
        <Section key={title} title={title}>
          <FactList facts={facts} />
        </Section>
      ))}
      {events.length > 0 && (
        <Section title="Events" count={events.length}>
          <Events events={events} start={BigInt(span.startTimeUnixNano)} />
        </Section>
      )}
      {links.length > 0 && (
        <Section title="Links" count={links.length}>
          <Links links={links} tree={tree} onShow={onShow} />
        </Section>
      )}
      <details className="origin">
        <summary>Where it came from</summary>
        <FactList
          facts={[
            { key: "trace id", value: span.traceId },
            { key: "span id", value: span.spanId },
            ...(span.parentSpanId ? [{ key: "parent span id", value: span.parentSpanId }] : []),
            ...(scope.name === undefined
              ? []
              : [{ key: "scope", value: [scope.name, scope.version].filter(Boolean).join(" ") }]),
            ...toFacts(toAttributes(resource.attributes)),
          ]}
        />
      </details>
    </>
  );
}

function toFacts(attributes: Attributes): readonly Fact[] {
  return [...attributes].map(([key, value]) => ({ key, value: showValue(value) }));
}

function FactList({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="fact-list">
      {facts.map(({ key, value }) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{value === "" ? <span className="quiet">empty</span> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Events({ events, start }: { readonly events: readonly OtlpEvent[]; readonly start: bigint }) {
  return (
    <ol className="events">
      {events.map((event, index) => (
        <li key={index}>
          <p className="event-name">
            {event.name}
            <span className="quiet">
              after {formatDuration(Number(BigInt(event.timeUnixNano) - start) / 1e6)}
            </span>
          </p>
          <FactList facts={toFacts(toAttributes(event.attributes))} />
        </li>
      ))}
    </ol>
  );
}

interface LinksProps {
  readonly links: readonly OtlpLink[];
  readonly tree: TraceTree;
  readonly onShow: (spanId: string) => void;
}

function Links({ links, tree, onShow }: LinksProps) {
  const { skeleton } = tree;
  return (
    <ul className="links">
      {links.map((link, index) => {
        const at = link.traceId === skeleton.traceId ? skeleton.indexOf(link.spanId) : -1;
        return (
          <li key={index}>
            <Icon name="link" size={13} />
            {at >= 0 ? (
              <Button className="link-button" onPress={() => onShow(link.spanId)}>
                {skeleton.shape(at).name}
              </Button>
            ) : (
              <a {...linkTo({ page: "trace", traceId: link.traceId, tab: "waterfall", spanId: link.spanId })}>
                trace {link.traceId.slice(0, 8)}
              </a>
            )}
            <span className="quiet">
              {toFacts(toAttributes(link.attributes))
                .map(({ value }) => value.replaceAll("_", " "))
                .join(", ")}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
