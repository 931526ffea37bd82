/** Makes an input smaller as long as it shows the same. */

/** How far an input is made smaller. */
export interface ShrinkOptions {
  /** The most inputs that are tried. */
  readonly triesMax: number;
  /** Tells whether an input is right, and shows the same. */
  readonly isAsBad: (input: string) => Promise<boolean>;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes lines and words, and makes numbers smaller. Inputs say how much follows: where something is
 * removed, numbers that count it are made smaller, too.
 */
export async function shrinkInput(input: string, options: ShrinkOptions): Promise<string> {
  const shrinking = new Shrinking(input, options);
  await shrinking.run();
  return shrinking.text;
}

class Shrinking {
  readonly #options: ShrinkOptions;
  readonly #tried = new Set<string>();
  #lines: string[];

  constructor(input: string, options: ShrinkOptions) {
    this.#options = options;
    this.#lines = linesOf(input);
    this.#tried.add(this.text);
  }

  get text(): string {
    return textOf(this.#lines);
  }

  async run(): Promise<void> {
    for (let before = ""; before !== this.text && !this.#isOver;) {
      before = this.text;
      await this.#removeLines();
      await this.#removeWords();
      await this.#lowerNumbers();
    }
  }

  get #isOver(): boolean {
    return this.#tried.size > this.#options.triesMax || (this.#options.signal?.aborted ?? false);
  }

  /** Takes the first of some inputs that is as bad. */
  async #take(candidates: Iterable<string[]>): Promise<boolean> {
    for (const lines of candidates) {
      const text = textOf(lines);
      if (this.#isOver) return false;
      if (this.#tried.has(text)) continue;
      this.#tried.add(text);
      if (!await this.#options.isAsBad(text)) continue;
      this.#lines = lines;
      return true;
    }
    return false;
  }

  async #removeLines(): Promise<void> {
    for (let size = this.#lines.length >> 1; size >= 1; size >>= 1) {
      for (let at = this.#lines.length - size; at >= 0 && !this.#isOver; at -= size) {
        const rest = [...this.#lines.slice(0, at), ...this.#lines.slice(at + size)];
        await this.#take(withCounts(rest, { before: at, by: size }));
        at = Math.min(at, this.#lines.length);
      }
    }
  }

  async #removeWords(): Promise<void> {
    for (let at = 0; at < this.#lines.length && !this.#isOver; at++) {
      let words = wordsOf(this.#lines[at]!);
      for (let size = words.length >> 1; size >= 1; size >>= 1) {
        for (let from = words.length - size; from >= 0 && !this.#isOver; from -= size) {
          const left = [...words.slice(0, from), ...words.slice(from + size)];
          const lines = this.#lines.with(at, left.join(" "));
          if (!await this.#take(withCounts(lines, { before: at, by: size }))) continue;
          words = left;
        }
      }
    }
  }

  async #lowerNumbers(): Promise<void> {
    for (let at = 0; at < this.#lines.length; at++) {
      for (let i = 0; i < wordsOf(this.#lines[at]!).length && !this.#isOver; i++) {
        // Halves until that is too much, then single steps are only tried once.
        while (await this.#take(this.#lower(at, i)));
      }
    }
  }

  *#lower(at: number, i: number): Generator<string[]> {
    const words = wordsOf(this.#lines[at]!);
    const word = words[i]!;
    if (!/^-?\d{1,18}$/.test(word)) return;
    const value = BigInt(word);
    for (const less of [0n, 1n, -value, value / 2n, value > 0n ? value - 1n : value + 1n]) {
      const isLess = less < 0n ? value < less : less < (value < 0n ? -value : value);
      if (isLess) yield this.#lines.with(at, words.with(i, `${less}`).join(" "));
    }
  }
}

/** The lines as they are, and with one number less by what was removed: those that come before. */
function* withCounts(
  lines: readonly string[],
  { before, by }: { before: number; by: number },
): Generator<string[]> {
  yield [...lines];
  // Counts are mostly in the first line, or just before what they count.
  const places = [...new Set([0, before - 1, before])].filter((at) => at >= 0 && at < lines.length);
  for (const at of places) {
    const words = wordsOf(lines[at]!);
    for (const [i, word] of words.entries()) {
      if (!/^\d{1,9}$/.test(word) || Number(word) < by) continue;
      yield lines.with(at, words.with(i, `${Number(word) - by}`).join(" "));
    }
  }
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function wordsOf(line: string): string[] {
  return line.split(" ");
}
