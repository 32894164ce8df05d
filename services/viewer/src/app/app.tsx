import { useEffect, useState } from "react";
import { ListPage } from "../list/list-page.tsx";
import { formatRoute } from "../router/route.ts";
import type { Route } from "../router/route.ts";
import { linkTo, useRoute } from "../router/use-route.ts";
import { TracePage } from "../trace/trace-page.tsx";
import { Announcer } from "../ui/announcer.tsx";
import { Notice } from "../ui/notice.tsx";
import { createPageServices, ServicesContext } from "./page-services.ts";
import type { PageServices } from "./page-services.ts";
import { TopBar } from "./top-bar.tsx";

export function App() {
  const [services] = useState(createPageServices);
  const route = useRoute();
  useConnection(services);
  return (
    <ServicesContext value={services}>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <TopBar route={route} />
      <main id="main" tabIndex={-1}>
        <Page route={route} />
      </main>
      <Announcer />
    </ServicesContext>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "list":
      return <ListPage />;
    case "trace":
      return <TracePage key={route.traceId} route={route} />;
    case "unknown":
      return (
        <Notice heading="h1" title="There is no such page">
          <p>
            <code>{formatRoute(route)}</code> is neither the list nor a trace: a trace's address ends in its
            32 hexadecimal digits.
          </p>
          <a className="button" {...linkTo({ page: "list" })}>
            To the traces
          </a>
        </Notice>
      );
  }
}

/** Live while the page is seen. */
function useConnection({ live, list }: PageServices): void {
  useEffect(() => {
    const follow = (): void => (document.hidden ? live.stop() : live.start());
    const silence = live.listen({
      onEvent: (event) => event.type === "trace" && list.add(event.trace),
      onPoll: () => void list.refresh(),
    });
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      silence();
      live.stop();
    };
  }, [live, list]);
}
