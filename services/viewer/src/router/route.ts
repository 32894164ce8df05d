/** What the address says: everything a link should bring back stands here, nothing else does. */
export type Route =
  | { readonly page: "list" }
  | { readonly page: "trace"; readonly traceId: string; readonly tab: TraceTab; readonly spanId?: string }
  | { readonly page: "unknown"; readonly path: string };

export const traceTabs = ["waterfall", "transcript"] as const;
export type TraceTab = (typeof traceTabs)[number];

/** `url`: path and query, as in `/traces/4bf9…?span=00f0…&tab=transcript`. Never throws. */
export function parseRoute(url: string): Route {
  const { pathname, searchParams } = new URL(url, "http://page.invalid");
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, "") : pathname;
  if (path === "/" || path === "" || path === "/traces") return { page: "list" };
  const [, traceId] = /^\/traces\/([0-9a-fA-F]{32})$/.exec(path) ?? [];
  if (traceId === undefined) return { page: "unknown", path: pathname };
  const spanId = searchParams.get("span")?.toLowerCase();
  return {
    page: "trace",
    traceId: traceId.toLowerCase(),
    tab: traceTabs.find((tab) => tab === searchParams.get("tab")) ?? "waterfall",
    ...(spanId !== undefined && /^[0-9a-f]{16}$/.test(spanId) ? { spanId } : {}),
  };
}

/** The inverse of `parseRoute`; what is default is left out. */
export function formatRoute(route: Route): string {
  if (route.page === "list") return "/";
  if (route.page === "unknown") return route.path;
  const parameters = new URLSearchParams();
  if (route.tab !== "waterfall") parameters.set("tab", route.tab);
  if (route.spanId !== undefined) parameters.set("span", route.spanId);
  const query = parameters.toString();
  return `/traces/${route.traceId}${query === "" ? "" : `?${query}`}`;
}
