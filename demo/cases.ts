/** The programs of the demo, what they get, and what has to come of it. */

/** What a judge says of a program. */
export type Verdict =
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
  /** Options on top of the usual limits; a later one wins. */
  options?: readonly string[];
  input?: string;
  /** What it has to print; undefined: anything. */
  answer?: string;
  /** Whether it tries to break out; it exits with 0 if it could not. */
  attack?: boolean;
  expected: Verdict;
}

const NUMBERS = Array.from({ length: 20_001 }, (_, i) => (i * 7919) % 20_001).join(" ");

/** What the demo judges, in order. `port` is one on which the host listens. */
export function demoCases({ port }: { port: number }): Case[] {
  return [
    {
      source: "primes.c",
      does: "counts primes",
      input: "2000000\n",
      answer: "148933\n",
      expected: "accepted",
    },
    {
      source: "median.cpp",
      does: "sorts 20,001 numbers",
      input: NUMBERS,
      answer: "10000\n",
      expected: "accepted",
    },
    {
      source: "longest.sh",
      does: "finds a word",
      input: "the quick brown fox\njumps over the lazy dog\nextraordinarily\n",
      answer: "extraordinarily\n",
      expected: "accepted",
    },
    {
      source: "collatz.py",
      does: "computes with big tables",
      input: "100000\n",
      answer: "77031\n",
      expected: "accepted",
    },
    {
      source: "queens.js",
      does: "places queens, in Deno",
      input: "9\n",
      answer: "352\n",
      expected: "accepted",
    },
    {
      source: "off_by_one.c",
      does: "forgets the last number",
      input: "100\n",
      answer: "5050\n",
      expected: "wrong answer",
    },
    { source: "fails.sh", does: "gives up", expected: "exit status 3" },
    { source: "crash.c", does: "writes through null", expected: "signal 11" },
    {
      source: "loop.c",
      does: "is busy for ever",
      options: ["--time=0.5"],
      expected: "CPU limit",
    },
    {
      source: "threads.c",
      does: "is busy, in 4 threads",
      options: ["--time=0.5", "--processes=4"],
      expected: "CPU limit",
    },
    {
      source: "sleeps.sh",
      does: "sleeps for ever",
      options: ["--wall-time=0.5"],
      expected: "wall limit",
    },
    {
      source: "ignores.py",
      does: "ignores all signals",
      options: ["--wall-time=0.5"],
      expected: "wall limit",
    },
    {
      source: "hog.cpp",
      does: "wants ever more memory",
      options: ["--mem=65536"],
      expected: "signal 6",
    },
    {
      source: "flood.c",
      does: "prints without end",
      options: ["--fsize=256"],
      expected: "signal 25",
    },
    { source: "fork.c", does: "wants a child", attack: true, expected: "held" },
    {
      source: "fork_bomb.c",
      does: "is a fork bomb",
      options: ["--processes=20", "--wall-time=0.5"],
      expected: "wall limit",
    },
    {
      source: "daemon.c",
      does: "leaves a daemon",
      options: ["--processes=5"],
      attack: true,
      expected: "held",
    },
    { source: "read_outside.sh", does: "reads /etc/shadow", attack: true, expected: "held" },
    { source: "write_outside.c", does: "writes outside", attack: true, expected: "held" },
    {
      source: "connect.py",
      does: "connects to the host",
      input: `${port}\n`,
      attack: true,
      expected: "held",
    },
    { source: "kill_all.c", does: "kills everybody", attack: true, expected: "held" },
  ];
}
