/** Calls `run` at once, then at most once per `ms` while asked, the last ask never lost. */
export function throttle(
  run: () => void,
  ms: number,
): { readonly ask: () => void; readonly cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = false;
  const fire = (): void => {
    asked = false;
    run();
    timer = setTimeout(() => {
      timer = undefined;
      if (asked) fire();
    }, ms);
  };
  return {
    ask: () => {
      asked = true;
      if (timer === undefined) fire();
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      asked = false;
    },
  };
}
