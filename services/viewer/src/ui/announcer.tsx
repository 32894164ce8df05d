import { createStore } from "../data/store.ts";
import { useStore } from "./use-store.ts";

const announced = createStore({ text: "", times: 0 });

/** Says something to screen readers when they are done with what they say. */
export function announce(text: string): void {
  announced.update(({ times }) => ({ text, times: times + 1 }));
}

export function Announcer() {
  const { text, times } = useStore(announced);
  // A text said twice is said again: the no-break space makes it another text.
  return (
    <div role="status" aria-live="polite" className="visually-hidden">
      {text + (times % 2 === 0 ? "" : "\u00a0")}
    </div>
  );
}
