/** As much of an AbortSignal as is asked of one here; AbortSignals are such signals too. */
export interface LeaveSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Says that a caller is gone. Every call has one: an AbortController would cost it two maps. */
export class CallSignal implements LeaveSignal {
  #isAborted = false;
  #listeners: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#isAborted;
  }

  /** The listeners are called once, now. */
  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.#isAborted) (this.#listeners ??= []).push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners!.splice(at, 1);
  }
}
