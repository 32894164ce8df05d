import { useCallback, useSyncExternalStore } from "react";

/** Below this a row is a card and the details take the page's place. The style sheets' queries say the same. */
export const narrowQuery = "(max-width: 760px)";

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
