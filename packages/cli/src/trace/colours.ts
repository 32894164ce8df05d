/** Colours of the terminal, or none. */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Hues for services, in order of appearance; red is kept for errors. */
const hues = ["cyan", "magenta", "yellow", "blue", "green"] as const;

export interface Palette {
  style(style: Style, text: string): string;
  /** The n-th service's hue. */
  hue(index: number, text: string): string;
}

export const plain: Palette = { style: (_, text) => text, hue: (_, text) => text };

export const coloured: Palette = {
  // Nothing stays nothing: callers leave empty parts out.
  style: (style, text) => (text === "" ? "" : styleText(style, text, { validateStream: false })),
  hue: (index, text) => styleText(hues[index % hues.length] ?? "cyan", text, { validateStream: false }),
};
