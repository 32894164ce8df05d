import { ToggleButton } from "react-aria-components/ToggleButton";
import type { Route } from "../router/route.ts";
import { linkTo } from "../router/use-route.ts";
import { Icon } from "../ui/icon.tsx";
import { useStore } from "../ui/use-store.ts";
import { usePageServices } from "./page-services.ts";
import { chooseTheme, theme } from "./theme.ts";

export function TopBar({ route }: { readonly route: Route }) {
  return (
    <header className="top-bar">
      <a className="brand" {...linkTo({ page: "list" })} aria-label="Weft, all traces">
        <Mark />
        <span>Weft</span>
      </a>
      <nav aria-label="Where you are">
        <a
          className="crumb"
          aria-current={route.page === "list" ? "page" : undefined}
          {...linkTo({ page: "list" })}
        >
          Traces
        </a>
        {route.page === "trace" && (
          <>
            <span className="crumb-slash" aria-hidden="true">
              /
            </span>
            <span className="crumb mono" aria-current="page" title={route.traceId}>
              {route.traceId.slice(0, 8)}
            </span>
          </>
        )}
      </nav>
      <span className="top-bar-space" />
      <LiveBadge />
      <ThemeToggle />
    </header>
  );
}

const liveWords = {
  connecting: { word: "Connecting", title: "Connecting to the collector" },
  live: { word: "Live", title: "What arrives is shown as it arrives" },
  polling: { word: "Polling", title: "No live connection: the page asks every few seconds" },
} as const;

function LiveBadge() {
  const state = useStore(usePageServices().live.state);
  const { word, title } = liveWords[state];
  return (
    <span className="live" data-live={state} title={title}>
      <span className="live-dot" />
      {word}
    </span>
  );
}

function ThemeToggle() {
  const current = useStore(theme);
  return (
    <ToggleButton
      className="icon-button"
      aria-label="Dark theme"
      isSelected={current === "dark"}
      onChange={(dark) => chooseTheme(dark ? "dark" : "light")}
    >
      <Icon name={current === "dark" ? "sun" : "moon"} />
    </ToggleButton>
  );
}

/** Threads over and under each other. */
function Mark() {
  return (
    <svg className="mark" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" focusable="false">
      <path className="mark-warp" d="M7.5 2v4.2M7.5 12.6V20M14.5 2v10.6M14.5 18.5V20" />
      <path className="mark-weft" d="M2 7.5h9.7M17.3 7.5H20M2 14.5h2.7M10.3 14.5H20" />
    </svg>
  );
}
