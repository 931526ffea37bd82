/** The programs of the demo, what they get, and what must become of them. */

/** What the demo says of a program. */
export type DemoVerdict =
  | "accepted"
  | "wrong answer"
  | `exit status ${number}`
  | `signal ${number}`
  | "CPU limit"
  | "wall limit"
  /** An attack: everything it tried was refused. */
  | "held"
  /** An attack that could do something. */
  | "BROKEN OUT";

/** A program with its limits. */
export interface Case {
  /** Its file under `programs/`. */
  source: string;
  does: string;
  expected: DemoVerdict;
  /** Options after the usual limits; a later one wins. */
  options?: readonly string[];
  input?: string;
  /** What it must print; undefined: anything. */
  answer?: string;
}

const NUMBERS = Array.from({ length: 20_001 }, (_, i) => (i * 7919) % 20_001).join(" ");
const WORDS = "the quick brown fox\njumps over the lazy dog\nextraordinarily\n";

function accepted(source: string, does: string, input: string, answer: string): Case {
  return { source, does, expected: "accepted", input, answer };
}

function stopped(source: string, does: string, expected: DemoVerdict, ...options: string[]): Case {
  return { source, does, expected, options };
}

/** An attack exits with 0 if it could do nothing. */
function held(source: string, does: string, more: Partial<Case> = {}): Case {
  return { source, does, expected: "held", ...more };
}

/** Lists what the demo judges, in order. `port` is one on which the host listens. */
export function demoCases({ port }: { port: number }): Case[] {
  return [
    accepted("primes.c", "counts primes", "2000000\n", "148933\n"),
    accepted("median.cpp", "sorts 20,001 numbers", NUMBERS, "10000\n"),
    accepted("longest.sh", "finds a word", WORDS, "extraordinarily\n"),
    accepted("collatz.py", "fills large tables", "100000\n", "77031\n"),
    accepted("queens.js", "places queens, in Deno", "9\n", "352\n"),
    {
      ...accepted("off_by_one.c", "forgets the last number", "100\n", "5050\n"),
      expected: "wrong answer",
    },
    stopped("fails.sh", "gives up", "exit status 3"),
    stopped("crash.c", "writes through null", "signal 11"),
    stopped("loop.c", "is busy for ever", "CPU limit", "--time=0.5", "--wall-time=30"),
    stopped(
      "threads.c",
      "is busy, in 4 threads",
      "CPU limit",
      "--time=0.5",
      "--wall-time=30",
      "--processes=4",
    ),
    stopped("sleeps.sh", "sleeps for ever", "wall limit", "--wall-time=0.5"),
    stopped("ignores.py", "ignores all signals", "wall limit", "--wall-time=0.5"),
    stopped("hog.cpp", "allocates without end", "signal 6", "--mem=65536"),
    stopped("flood.c", "prints without end", "signal 25", "--fsize=256"),
    held("fork.c", "tries to fork"),
    stopped("fork_bomb.c", "is a fork bomb", "wall limit", "--processes=20", "--wall-time=0.5"),
    held("daemon.c", "leaves a daemon", { options: ["--processes=5"] }),
    held("read_outside.sh", "reads /etc/shadow"),
    held("write_outside.c", "writes outside"),
    held("connect.py", "connects to the host", { input: `${port}\n` }),
    held("kill_all.c", "kills all it can see"),
  ];
}
