/** `npm run shots`: the README's pictures, taken from a demo that is run for them: `take-shots <folder>`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startDemo } from "./running-demo.ts";
import { ViewerBrowser } from "./viewer-browser.ts";

const [folder = "."] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const demo = await startDemo();
try {
  await using browser = await ViewerBrowser.start();
  for (const colorScheme of ["light", "dark"] as const) {
    await using opened = await browser.open(`${demo.link}?tab=transcript`, {
      colorScheme,
      reducedMotion: "reduce",
      viewport: { width: 1280, height: 1170 },
      deviceScaleFactor: 1.5,
    });
    const { page } = opened;
    await page.getByRole("button", { name: /calculator speaks next/ }).click();
    await page.getByText("named by the model").last().waitFor();
    await page.evaluate("document.fonts.ready");
    const file = join(folder, `trace-${colorScheme}.png`);
    await page.screenshot({ path: file });
    process.stdout.write(`${file}\n`);
  }
} finally {
  await demo.stop();
}
