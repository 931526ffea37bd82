/**
 * Keeps count of what runs at the same time. A CPU of its own keeps no program from waiting for memory
 * and caches that others use, so a time near a limit is measured again while nothing else runs.
 */
export class Disturbance {
  readonly #running = new Set<{ isDisturbed: boolean }>();
  readonly #waiting: (() => void)[] = [];
  #isAlone = false;
  #alonePending = 0;

  /** Does something beside others; tells whether anything else ran meanwhile. */
  async beside<T>(work: () => Promise<T>): Promise<{ value: T; isDisturbed: boolean }> {
    while (this.#isAlone || this.#alonePending > 0) await this.#change();
    const own = { isDisturbed: this.#running.size > 0 };
    for (const other of this.#running) other.isDisturbed = true;
    this.#running.add(own);
    try {
      const value = await work();
      return { value, isDisturbed: own.isDisturbed };
    } finally {
      this.#running.delete(own);
      this.#tell();
    }
  }

  /** Does something once nothing else runs, before anything else begins. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#alonePending++;
    while (this.#isAlone || this.#running.size > 0) await this.#change();
    this.#alonePending--;
    this.#isAlone = true;
    try {
      return await work();
    } finally {
      this.#isAlone = false;
      this.#tell();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
