/** Hostile problem packages, some of which change while they are judged, and what must hold whatever is in them. */

import { ExpectedError } from "isolate/text/errors.ts";
import { attackProgram } from "./attack.ts";
import { Chance } from "./damage.ts";
import { start } from "./isolate.ts";
import { SUM, withPackage } from "./judging.ts";

const BOXES = { first: 494, count: 4 };
const SECRET = "correct-horse-battery-staple";
/** A package takes a moment; on a busy machine one may take a minute. */
const PATIENCE_MS = 120_000;

/** What was judged, and what came of it. */
export interface PackageFuzzReport {
  readonly packages: number;
  /** How many were judged, not refused. */
  readonly judged: number;
  /** How many changed meanwhile. */
  readonly raced: number;
  /** What should not have happened; empty if all is well. */
  readonly harm: readonly string[];
}

/** Where something can be put, or replace what is there. */
const PLACES = [
  ...[
    "data/secret/1.in",
    "data/secret/1.ans",
    "data/secret/2.in",
    "data/secret/3.in",
    "data/secret",
  ],
  ...[
    "submissions/accepted/sum.py",
    "submissions/accepted/other.c",
    "submissions/wrong_answer",
    "include",
  ],
  ...["problem.yaml", "data/secret/testdata.yaml", "data/sample", "output_validators", "data", "."],
] as const;

const NAMES = [
  "x",
  "..x",
  " ",
  "-rf",
  "a\nb",
  "\x1b[31m",
  "a".repeat(255),
  "'$(id)'",
  "1.ans ",
  "\u202e",
  "🎈",
];

/** Puts something hostile at a path. */
type Damage = (path: string, chance: Chance, secret: string) => string;

const DAMAGES: readonly Damage[] = [
  (path) => `rm -rf '${path}'; mkfifo '${path}'`,
  (path) => `rm -rf '${path}'; mkdir '${path}'`,
  (path) => `rm -rf '${path}'; mknod '${path}' c 1 ${3 + 2}`,
  (path) => `rm -rf '${path}'; ln -s /dev/zero '${path}'`,
  (path, _, secret) => `rm -rf '${path}'; ln -s ${secret} '${path}'`,
  (path, _, secret) => `rm -rf '${path}'; ln -s ../../../../../../../..${secret}/1.ans '${path}'`,
  (path) => `rm -rf '${path}'; ln -s . '${path}'`,
  (path) => `rm -rf '${path}'; ln -s "$(basename '${path}')" '${path}'`,
  (path) => `rm -rf '${path}'; truncate -s 3G '${path}'`,
  (path, chance) => `rm -rf '${path}'; head -c ${chance.below(100_000)} /dev/urandom >'${path}'`,
  (path) => `rm -rf '${path}'; : >'${path}'`,
  (path) => `chmod 0 '${path}'`,
  (path) =>
    `rm -rf '${path}'; python3 -c 'import socket,sys,os; os.chdir(os.path.dirname(sys.argv[1])); ` +
    `socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))' '${path}'`,
  (path) => `cd '${path}' && for i in $(seq 40); do mkdir d && cd d; done`,
  (path) => `cd '${path}' && for i in $(seq 300); do : >$i.in; done`,
  (path, chance) => {
    const name = NAMES[chance.below(NAMES.length)]!.replaceAll("'", "'\\''");
    return `cp '${path}' "$(dirname '${path}')"/'${name}'`;
  },
  (path) => `cp -r '${path}' "$(dirname '${path}')"/$'bad\\xff'`,
];

/** Judges hostile packages for some seconds. */
export async function fuzzPackages(
  { seconds, seed = 1 }: { seconds: number; seed?: number },
): Promise<PackageFuzzReport> {
  const harm: string[] = [];
  let [packages, judged, raced] = [0, 0, 0];
  const secret = await Deno.makeTempDir({ prefix: "isolate-secret-" });
  const exchange = await attackProgram("exchange");
  try {
    for (const name of ["1.in", "1.ans", "2.in", "2.ans", "sum.py"]) {
      await Deno.writeTextFile(`${secret}/${name}`, `${SECRET}\n`, { mode: 0o600 });
    }
    const programs = {
      ...SUM,
      "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
    };
    for (
      const end = Date.now() + seconds * 1000;
      Date.now() < end && harm.length === 0;
      packages++
    ) {
      const chance = new Chance(seed + packages);
      const complain = (what: string) => harm.push(`seed ${seed + packages}: ${what}`);
      await withPackage(programs, async ({ folder, judge }) => {
        const isRaced = chance.below(2) === 0;
        for (let times = isRaced ? 0 : 1 + chance.below(2); times > 0; times--) {
          const path = `${folder}/${PLACES[chance.below(PLACES.length - 1)]}`;
          await start(["bash", "-c", DAMAGES[chance.below(DAMAGES.length)]!(path, chance, secret)])
            .result;
        }
        await using racer = isRaced ? await race({ folder, exchange, secret, chance }) : undefined;
        if (racer) raced++;
        const open = descriptors();
        const startMs = performance.now();
        try {
          const text = JSON.stringify(await judge({ boxIds: BOXES, transcriptBytes: 1000 }));
          judged++;
          if (text.includes(SECRET)) complain(`the secret is in the report: ${text}`);
        } catch (error) {
          if (!(error instanceof ExpectedError)) {
            complain(error instanceof Error ? error.stack! : String(error));
          } else if (error.message.includes(SECRET)) complain(`the secret is in: ${error.message}`);
        }
        const tookMs = performance.now() - startMs;
        if (tookMs > PATIENCE_MS) complain(`it took ${tookMs} ms`);
        if (descriptors() > open + 8) {
          complain(`${descriptors()} descriptors are open, not ${open}`);
        }
        await start(["chmod", "-R", "u+rwX", folder]).result;
      });
      for (const name of ["1.in", "1.ans"]) {
        if (await Deno.readTextFile(`${secret}/${name}`) !== `${SECRET}\n`) {
          complain("the secret has changed");
        }
      }
    }
  } finally {
    await Deno.remove(secret, { recursive: true });
  }
  return { packages, judged, raced, harm };
}

const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;

/** Exchanges a file or folder of a package with a link out of it, or with a folder of links, all the time. */
async function race({ folder, exchange, secret, chance }: {
  folder: string;
  exchange: string;
  secret: string;
  chance: Chance;
}) {
  const targets: readonly (readonly [string, string])[] = [
    ["data/secret/1.ans", `${secret}/1.ans`],
    ["data/secret/1.in", `${secret}/1.in`],
    ["data/secret", secret],
    ["submissions/accepted/sum.py", `${secret}/sum.py`],
    ["submissions/accepted", secret],
  ];
  const [path, target] = targets[chance.below(targets.length)]!;
  const other = `${folder}/other`;
  await Deno.symlink(target, other);
  return start([exchange, `${folder}/${path}`, other]);
}
