/** Asks until the answer is yes. The test runner's own deadline bounds it. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) await new Promise(setImmediate);
}
