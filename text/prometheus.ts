/** The text format of Prometheus. */

/** The upper bounds of the histograms, in seconds. */
const BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Counts how long things took. */
export class Histogram {
  readonly #counts: number[] = BOUNDS.map(() => 0);
  #sum = 0;
  #count = 0;

  /** Counts one more. */
  add(seconds: number): void {
    const at = BOUNDS.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.#counts[at]!++;
    this.#sum += seconds;
    this.#count++;
  }

  /** Writes it under a name. */
  lines(name: string): string[] {
    let total = 0;
    return [
      ...BOUNDS.map((bound, i) => `${name}_bucket{le="${bound}"} ${total += this.#counts[i]!}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

/** Writes what a metric is. */
export function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
