/** Damaged texts for everything that reads what people write: each is read, or refused in a sentence. */

import { resolveDirectoryRules } from "isolate/box/setup/directory_rules.ts";
import { parseBoxRecord } from "isolate/box/claim/lock.ts";
import { parseHierarchies } from "isolate/cgroup/mounts.ts";
import { parseClassic, runOptions } from "isolate/cli/classic_parser.ts";
import { JUDGE } from "isolate/cli/judge_options.ts";
import { parse } from "isolate/cli/subcommand.ts";
import { parseClassicConfig } from "isolate/config/classic.ts";
import { parseYamlConfig } from "isolate/config/yaml.ts";
import { parseFlags } from "isolate/judge/checker/checker_flags.ts";
import { parseDirectoryRule, parseEnvironmentRule } from "isolate/mod.ts";
import { parsePacket } from "isolate/service/protocol.ts";
import { ExpectedError } from "isolate/text/errors.ts";
import { parseYamlText } from "isolate/text/yaml.ts";
import { Chance } from "./damage.ts";
import { PACKAGE_TEXTS, readPackageText } from "./package_texts.ts";

/** What the readers were given, and what came of it. */
export interface ParserFuzzReport {
  readonly inputs: number;
  /** How many were accepted, by reader. */
  readonly accepted: Readonly<Record<string, number>>;
  /** What should not have happened, with the input. */
  readonly harm: readonly string[];
}

interface Reader {
  readonly name: string;
  /** Good texts, which are then damaged. */
  readonly seeds: readonly string[];
  /** Its share of all inputs. */
  readonly share: number;
  readonly read: (text: string) => unknown;
  /** Other errors by which it refuses. */
  readonly refusal?: new (...args: never[]) => Error;
}

const words = (text: string) => text.split(" ");
const bytes = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

const READERS: readonly Reader[] = [
  {
    name: "classic command lines",
    share: 400,
    seeds: [
      "--box-id=3 --cg --cg-mem=65536 --time=1.5 --wall-time=3 --extra-time=0.5 --run -- /bin/true a",
      "-b 1 -p4 -t2 -w 5 -m 100000 -k 8192 -f 100 -E A=B -E PATH -e -d x=/srv:rw:noexec -M meta --run prog",
      "--init --quota=100,20 --box-size=1000,10 --as-uid=1000 --as-gid=1000 -v -s",
      "--dir=tmp=tmpfs:fs:rw:size=65536 --no-default-dirs --stdin=a --stdout=b --stderr-to-stdout --run x",
      "--cpus=0-3,5 --hostname=h --address=10.0.0.2/24 --syscalls=31 --cleanup --wait --inherit-fds",
    ],
    read: (text) => runOptions(parseClassic(words(text)), new Map([["PATH", "/bin"]])),
  },
  {
    name: "command lines of judge",
    share: 100,
    seeds: [
      "-j 4 --keep --html=y -l c --time-limit=1.5 -q package sub.py",
    ],
    read: (text) => parse(JUDGE, words(text)),
  },
  {
    name: "directory rules",
    share: 200,
    refusal: SyntaxError,
    seeds: [
      "data=/srv/data:rw:maybe:noexec:norec:dev",
      "tmp=tmpfs:fs:size=1",
      "box=",
      "etc/x=/y",
      "proc=proc:fs",
    ],
    read: (text) =>
      resolveDirectoryRules({ rules: text.split(",").map(parseDirectoryRule), defaults: true }),
  },
  {
    name: "environment rules",
    share: 100,
    refusal: SyntaxError,
    seeds: ["PATH=/bin:/usr/bin", "HOME", "A=", "LANG=C=D"],
    read: parseEnvironmentRule,
  },
  {
    name: "classic configurations",
    share: 100,
    seeds: [
      "box_root = /var/lib/isolate\nlock_root=/run/locks # c\nfirst_uid = 60000\nfirst_gid = 60000\nnum_boxes = 1000\ncg_root = auto:/x\n",
      "box3.cpus = 0-3\nbox3.mems = 0\nsyscall_flags = 31\nrestricted_init = 1\nbridge = br0\n",
    ],
    read: (text) => parseClassicConfig(text, "config"),
  },
  {
    name: "YAML configurations",
    share: 8,
    seeds: [
      "box_root: /var/lib/isolate\nfirst_uid: 60000\nfirst_gid: 60000\nboxes: {0: {cpus: '0-3', mems: 0}}\nnum_boxes: 16\n",
    ],
    read: (text) => parseYamlConfig(text, "config.yaml"),
  },
  {
    name: "YAML",
    share: 8,
    seeds: [
      "a: &x [1, 2.5, y]\nb: {c: !!str 1, <<: *x}\nd: |\n  text\ne: >-\n  more\n",
      "? x\n: 'y'\n",
    ],
    read: (text) => parseYamlText(text, "text.yaml"),
  },
  { name: "packages", share: 1, seeds: PACKAGE_TEXTS, read: readPackageText },
  {
    name: "checker flags",
    share: 50,
    refusal: SyntaxError,
    seeds: [
      "case_sensitive space_change_sensitive float_absolute_tolerance 1e-6",
      "float_tolerance 0.5",
    ],
    read: (text) => parseFlags(words(text)),
  },
  {
    name: "packets of clients",
    share: 20,
    seeds: ["\x01\0\0\0\x08\0\0\0abcdefgh", "\x03\0\0\0\0\0\0\0"],
    read: (text) => parsePacket(bytes(text)),
  },
  {
    name: "lock files",
    share: 20,
    seeds: ["islk\0\0\0\0\0\0\0\0\0\0\0\0"],
    read: (text) => parseBoxRecord(bytes(text)),
  },
  {
    name: "tables of mounts",
    share: 20,
    seeds: [
      "25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n26 1 0:2 /a\\040b / rw - cgroup c rw,memory\n",
    ],
    read: parseHierarchies,
  },
];

/** What readers may stumble over. */
const TOKENS = [
  ..."\0\n\t =:,;./-+#'\"{}[]&*!|>%@`~\\",
  ...[
    "\r\n",
    "--",
    "---",
    "...",
    "<<",
    "&a ",
    "*a",
    "!!binary ",
    "\ufeff",
    "\u202e",
    "\udcff",
    "\ud800",
    "😀",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "null",
    "true",
    "~",
    ".inf",
    ".nan",
    "1e999",
    "-0",
    "0x7f",
  ],
  ...[
    "-1",
    "0",
    "1",
    "2147483648",
    "4294967295",
    "9007199254740993",
    "18446744073709551616",
    "0.0000001",
  ],
  ...[
    "../",
    "/",
    "//",
    "box",
    "tmp",
    "rw",
    "fs",
    "no",
    "size=",
    "--box-id=",
    "--run",
    "a".repeat(300),
  ],
];

/** So long one input may take, on a busy machine. */
const PATIENCE_MS = 20_000;
const HARM_MAX = 10;

/** Reads damaged texts. The same seed gives the same texts. */
export async function fuzzParsers(
  { inputs, seed = 1 }: { inputs: number; seed?: number },
): Promise<ParserFuzzReport> {
  const chance = new Chance(seed);
  const random = (count: number) => chance.below(count);
  const accepted: Record<string, number> = {};
  const harm: string[] = [];
  const shares = READERS.reduce((sum, { share }) => sum + share, 0);
  let count = 0;
  for (const { name, seeds, share, read, refusal } of READERS) {
    accepted[name] = 0;
    for (
      let left = Math.ceil(inputs * share / shares);
      left > 0 && harm.length < HARM_MAX;
      left--
    ) {
      const text = damage(seeds, random);
      count++;
      const startMs = performance.now();
      try {
        const result = read(text);
        if (result instanceof Promise) await result;
        accepted[name]++;
      } catch (error) {
        if (!(error instanceof ExpectedError || refusal && error instanceof refusal)) {
          harm.push(
            `${name}: ${JSON.stringify(text)}: ${error instanceof Error ? error.stack : error}`,
          );
        } else if (!/^\S.*\S$/s.test(error.message)) {
          harm.push(
            `${name}: ${JSON.stringify(text)}: not a sentence: ${JSON.stringify(error.message)}`,
          );
        }
      }
      const tookMs = performance.now() - startMs;
      if (tookMs > PATIENCE_MS) harm.push(`${name}: ${JSON.stringify(text)} took ${tookMs} ms`);
    }
  }
  return { inputs: count, accepted, harm };
}

function damage(seeds: readonly string[], random: (bound: number) => number): string {
  let text = seeds[random(seeds.length)]!;
  for (let times = 1 + random(4); times > 0; times--) {
    const [at, length] = [random(text.length + 1), random(12)];
    const [before, middle, after] = [
      text.slice(0, at),
      text.slice(at, at + length),
      text.slice(at + length),
    ];
    const token = TOKENS[random(TOKENS.length)]!;
    const other = seeds[random(seeds.length)]!;
    const from = random(other.length + 1);
    const made = [
      before + after,
      before + middle + middle + after,
      before + token + middle + after,
      before + token + after,
      before + other.slice(from, from + 30) + middle + after,
      before + String.fromCharCode(random(0x180)) + after,
    ];
    text = made[random(made.length)]!;
  }
  return text;
}
