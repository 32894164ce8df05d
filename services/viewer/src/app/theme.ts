/** The system's theme unless the reader chose the other; the choice is kept. */
import { createStore } from "../data/store.ts";

export type Theme = "light" | "dark";

const key = "weft-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export const theme = createStore<Theme>(currentTheme());
dark.addEventListener("change", () => theme.update(currentTheme));

function systemTheme(): Theme {
  return dark.matches ? "dark" : "light";
}

function currentTheme(): Theme {
  const chosen = localStorage.getItem(key);
  return chosen === "light" || chosen === "dark" ? chosen : systemTheme();
}

/** Puts the theme on the document. Without a choice there is nothing to put: the style sheets follow the system. */
export function applyTheme(): void {
  const chosen = localStorage.getItem(key);
  if (chosen === null) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

/** Choosing what the system has anyway is no choice: the page follows the system again. */
export function chooseTheme(chosen: Theme): void {
  if (chosen === systemTheme()) localStorage.removeItem(key);
  else localStorage.setItem(key, chosen);
  applyTheme();
  theme.update(() => chosen);
}
