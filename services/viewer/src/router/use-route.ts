import { useMemo, useSyncExternalStore } from "react";
import { formatRoute, parseRoute } from "./route.ts";
import type { Route } from "./route.ts";

const changed = "weft:navigate";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(changed, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(changed, listener);
  };
}

const currentUrl = (): string => location.pathname + location.search;

export function useRoute(): Route {
  const url = useSyncExternalStore(subscribe, currentUrl);
  return useMemo(() => parseRoute(url), [url]);
}

/** `replace`: for moves that are no step back, such as walking over spans with the arrow keys. */
export function navigate(route: Route, { replace = false }: { readonly replace?: boolean } = {}): void {
  const url = formatRoute(route);
  if (url === currentUrl()) return;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  window.dispatchEvent(new Event(changed));
}

/** For links: a plain click stays in the page; a modified one is the browser's. */
export function linkTo(route: Route): {
  readonly href: string;
  readonly onClick: (event: React.MouseEvent) => void;
} {
  return {
    href: formatRoute(route),
    onClick: (event) => {
      if (
        event.defaultPrevented ||
        event.button !== 0 ||
        event.metaKey ||
        event.ctrlKey ||
        event.shiftKey ||
        event.altKey
      )
        return;
      event.preventDefault();
      navigate(route);
    },
  };
}
