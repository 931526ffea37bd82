/** Packages that the benchmark of packages makes: each is mostly one kind of work. */

import { ROOT } from "../tools/process.ts";

/** A file of a package: its text, or the file that it is a link to. */
type Content = string | { readonly linkTo: string };

/** The files of a package by their paths. */
type Files = Record<string, Content>;

/** A package that is made. */
export interface MadePackage {
  readonly name: string;
  /** What judging it is mostly about. */
  readonly what: string;
  readonly make: () => Files;
}

const SMALL_TESTS = 500;
const LARGE_TESTS = 50;
const LARGE_BYTES = 10e6;
const SLOW_TESTS = 20;
const TALKS = 100;
const LANGUAGE_TESTS = 50;

const SUM_PY = "print(sum(map(int, input().split())))\n";

const SUM_JAVA = `import java.util.Scanner;

public class Sum {
  public static void main(String[] arguments) {
    Scanner scanner = new Scanner(System.in);
    System.out.println(scanner.nextInt() + scanner.nextInt());
  }
}
`;

const COPY_C = `#include <stdio.h>

static char block[1 << 16];

int main(void) {
  size_t size;
  while ((size = fread(block, 1, sizeof block, stdin)) > 0) fwrite(block, 1, size, stdout);
  return 0;
}
`;

/** Accepts what the default validator would, after a while. */
const SLOW_VALIDATOR_C = `#include <stdio.h>
#include <time.h>

int main(int count, char **arguments) {
  int wanted, got;
  if (count < 4) return 1;
  FILE *answer = fopen(arguments[2], "r");
  if (!answer || fscanf(answer, "%d", &wanted) != 1) return 1;
  while (clock() < 0.1 * CLOCKS_PER_SEC) continue;
  return scanf("%d", &got) == 1 && got == wanted ? 42 : 43;
}
`;

const HALVES_C = `#include <stdio.h>

int main(void) {
  int low = 1, high = 1000;
  for (;;) {
    int guess = (low + high) / 2;
    char answer[20];
    printf("%d\\n", guess);
    fflush(stdout);
    if (scanf("%19s", answer) != 1) return 1;
    if (answer[0] == 'c') return 0;
    if (answer[0] == 'l') high = guess - 1;
    else low = guess + 1;
  }
}
`;

const INTERACTOR_C = `#include <stdio.h>

int main(int count, char **arguments) {
  int secret, guess;
  if (count < 4) return 1;
  FILE *input = fopen(arguments[1], "r");
  if (!input || fscanf(input, "%d", &secret) != 1) return 1;
  for (int i = 0; i < 10; i++) {
    if (scanf("%d", &guess) != 1) return 43;
    puts(guess == secret ? "correct" : guess > secret ? "lower" : "higher");
    fflush(stdout);
    if (guess == secret) return 42;
  }
  return 43;
}
`;

/** Accepts any input, so that both judges run something. */
const INPUT_VALIDATOR_C = `#include <stdio.h>

int main(void) {
  while (getchar_unlocked() != EOF) continue;
  return 42;
}
`;

/** The packages. */
export const MADE_PACKAGES: readonly MadePackage[] = [
  {
    name: "small",
    what: `${SMALL_TESTS} tests of 1 ms`,
    make: () => ({ ...sums(SMALL_TESTS), "submissions/accepted/sum.c": sumInC() }),
  },
  { name: "large", what: `${LARGE_TESTS} tests of 10 MB`, make: largePackage },
  {
    name: "slow",
    what: `a validator of 0.1 s, ${SLOW_TESTS} tests`,
    make: () => ({
      ...sums(SLOW_TESTS, "validation: custom\n"),
      "output_validators/slow.c": SLOW_VALIDATOR_C,
      "submissions/accepted/sum.c": sumInC(),
    }),
  },
  { name: "talk", what: `interactive, ${TALKS} tests`, make: talkPackage },
  {
    name: "python",
    what: `Python, ${LANGUAGE_TESTS} tests`,
    make: () => ({ ...sums(LANGUAGE_TESTS), "submissions/accepted/sum.py": SUM_PY }),
  },
  {
    name: "java",
    what: `Java, ${LANGUAGE_TESTS} tests`,
    make: () => ({ ...sums(LANGUAGE_TESTS), "submissions/accepted/Sum.java": SUM_JAVA }),
  },
];

/** Makes a package. */
export async function makePackage({ make }: MadePackage, folder: string): Promise<void> {
  for (const [path, content] of Object.entries(make())) {
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(file, content);
    else await Deno.link(`${folder}/${content.linkTo}`, file);
  }
}

function sumInC(): string {
  return Deno.readTextFileSync(`${ROOT}/bench/sum.c`);
}

function common(more = ""): Files {
  return {
    "problem.yaml": `name: Bench\n${more}`,
    "input_validators/any.c": INPUT_VALIDATOR_C,
  };
}

function sums(count: number, more = ""): Files {
  const files = common(more);
  for (let i = 0; i < count; i++) {
    files[`${testName(i)}.in`] = `${i} ${2 * i}\n`;
    files[`${testName(i)}.ans`] = `${3 * i}\n`;
  }
  return files;
}

/** The answers are the inputs, so they need no place of their own. */
function largePackage(): Files {
  const files: Files = {
    ...common("limits: {output: 32}\n"),
    "submissions/accepted/copy.c": COPY_C,
  };
  const lines = Array.from({ length: 1000 }, (_, i) => `${(i * 7919) % 1000} ${i * i}\n`).join("");
  const text = lines.repeat(Math.ceil(LARGE_BYTES / lines.length)).slice(0, LARGE_BYTES - 8);
  for (let i = 0; i < LARGE_TESTS; i++) {
    const input = `${testName(i)}.in`;
    files[input] = `${String(i).padStart(6, "0")}\n${text}\n`;
    files[`${testName(i)}.ans`] = { linkTo: input };
  }
  return files;
}

function talkPackage(): Files {
  const files: Files = {
    ...common("validation: custom interactive\n"),
    "output_validators/talk.c": INTERACTOR_C,
    "submissions/accepted/halves.c": HALVES_C,
  };
  for (let i = 0; i < TALKS; i++) {
    files[`${testName(i)}.in`] = `${1 + (i * 97) % 1000}\n`;
    files[`${testName(i)}.ans`] = "\n";
  }
  return files;
}

function testName(i: number): string {
  // The package format wants a sample.
  return `data/${i === 0 ? "sample" : "secret"}/${String(i).padStart(4, "0")}`;
}
