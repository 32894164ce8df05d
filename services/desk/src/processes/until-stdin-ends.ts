/**
 * Resolves when standard input ends: a desk process lives as long as the one that started it holds its end of the
 * pipe, so nothing is left behind when that one is killed, on any system.
 */
export function untilStdinEnds(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve).once("close", resolve).resume();
  });
}
