/** `isolate judge stress`: searches for a test on which submissions differ, and keeps it. */

import * as colors from "../vendor/std/colors.ts";
import {
  type HostFiles,
  partOfProblem,
  type Problem,
  readGenerator,
  readPackage,
  readSubmission,
  stress,
  type StressEvent,
  type StressFinding,
  type Submission,
} from "../judge/mod.ts";
import { ExpectedError } from "../text/errors.ts";
import { countText, timeText } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";
import { FAILURE_STATUS, tell, UsageError } from "./complain.ts";
import type { JudgeRequest } from "./judge_options.ts";
import { type JudgeSession, openSession } from "./judge_session.ts";

const TRIES_DEFAULT = 1000;
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\x1b[K";

/** `isolate judge stress PACKAGE --generator=COMMAND [--against=SUBMISSION] [SUBMISSION...]`. */
export async function stressPackage(
  request: JudgeRequest,
  [directory, ...given]: readonly string[],
): Promise<number> {
  const { generator: command, root, fileMib, into = ".", firstSeed, tries } = request;
  if (directory === undefined || command === undefined) {
    throw new UsageError(
      "judge stress needs a package and a generator: isolate judge stress PACKAGE " +
        '--generator="gen.py 10" [--against=accepted/slow.py] [SUBMISSION...]',
    );
  }
  const session = await openSession(request);
  const { host, say } = session;
  if (host.status(into)?.kind !== "directory") {
    throw new ExpectedError(`Option --into must name a folder: ${into} is none`);
  }
  const problem = await readPackage(host, directory, { fileMib, root });
  const against = findReference(host, problem, request.against);
  const submissions = findSubmissions(host, problem, { given, request, against });
  const progress = new StressProgress(session);
  const report = await stress({
    ...session,
    problem,
    pypy: request.pypy,
    jobs: request.jobs ?? navigator.hardwareConcurrency,
    timeLimitMs: request.timeLimitMs,
    generator: readGenerator(host, problem.directory, command),
    against,
    submissions,
    seeds: { first: firstSeed ?? 1, count: tries ?? TRIES_DEFAULT },
    onEvent: (event) => progress.tell(event),
  }).finally(() => progress.end());
  const { finding, interrupted, durationMs, warnings } = report;
  if (!request.quiet) {
    for (const warning of warnings) say(`${colors.yellow("note:")} ${visibleText(warning)}\n`);
  }
  const spent = `${countText(report.tries, "input")}, ${timeText(durationMs)}`;
  if (!finding) {
    const names = [against, ...submissions].map(({ name }) => visibleText(name)).join(", ");
    if (!request.quiet) {
      say(
        interrupted
          ? `${colors.red("interrupted")}: no difference so far, ${spent}\n`
          : `${colors.green("no difference")} between ${names}: ${spent}\n`,
      );
    }
    return interrupted ? FAILURE_STATUS : 0;
  }
  const path = keep(host, { finding, name: problem.shortName, into });
  const text = findingText(finding, path);
  if (request.quiet) tell(text);
  else say(`${text}\n${spent}\n`);
  return 1;
}

function findingText(
  { submission, result: { verdict, message }, seed, input, generatedBytes }: StressFinding,
  path: string,
): string {
  const size = input.length < generatedBytes
    ? `${countText(input.length, "byte")}, made smaller from ${generatedBytes}`
    : countText(input.length, "byte");
  return `${colors.red(visibleText(submission))} gets ${verdict} with seed ${seed}: ` +
    `${visibleText(message)}\nkept as ${path}.in and .ans (${size})`;
}

/** Puts the test where its user wants it; an older one of this name stays. */
function keep(
  host: HostFiles,
  { finding, name, into }: { finding: StressFinding; name: string; into: string },
): string {
  const { seed, input, answer = new Uint8Array(0) } = finding;
  const base = `${into.replace(/(.)\/+$/, "$1")}/${name}-stress-${seed}`;
  let path = base;
  for (let i = 2; host.status(`${path}.in`) || host.status(`${path}.ans`); i++) {
    path = `${base}-${i}`;
  }
  host.write(`${path}.in`, input);
  host.write(`${path}.ans`, answer);
  return path;
}

/** Finds the submission that is right: by a pattern in the package, or by its path. */
function findReference(
  host: HostFiles,
  problem: Problem,
  named: string | undefined,
): Submission {
  if (named === undefined) {
    const [first] = acceptedOf(problem);
    if (first) return first;
    throw new UsageError("The package has no accepted submission: name one by --against");
  }
  const found = named.startsWith("/") || named.startsWith("./")
    ? []
    : problem.submissions.filter(({ name }) => name === named.replace(/^submissions\//, ""));
  if (found[0]) return found[0];
  if (host.status(named)) return readSubmission(host, named);
  const [one, ...others] = partOfProblem(problem, { submissions: [named] }).submissions;
  if (one && others.length === 0) return one;
  const names = [one, ...others].flatMap((each) => each ? [each.name] : []).slice(0, 5);
  throw new UsageError(
    `Option --against must name one submission: ${named} is ${names.join(", ")}`,
  );
}

function findSubmissions(
  host: HostFiles,
  problem: Problem,
  { given, request: { submissions: patterns, language }, against }: {
    given: readonly string[];
    request: JudgeRequest;
    against: Submission;
  },
): Submission[] {
  if (given.length > 0) {
    return given.map((path) => ({ ...readSubmission(host, path), language }));
  }
  const chosen = patterns.length > 0
    ? partOfProblem(problem, { submissions: patterns }).submissions
    : acceptedOf(problem);
  const others = chosen.filter((one) => one !== against && one.name !== against.name);
  if (others.length > 0) return others;
  throw new UsageError(
    `judge stress needs a submission besides ${against.name}: name one after the package, or by ` +
      "--submissions",
  );
}

function acceptedOf({ submissions }: Problem): Submission[] {
  return submissions.filter(({ expected }) => expected?.length === 1 && expected[0] === "AC");
}

/** A line that changes on a terminal. */
class StressProgress {
  readonly #session: JudgeSession;
  #drawnMs = -Infinity;
  #hasLine = false;

  constructor(session: JudgeSession) {
    this.#session = session;
  }

  tell(event: StressEvent): void {
    const nowMs = performance.now();
    const { request, width, say } = this.#session;
    if (request.quiet || width() === undefined) return;
    if (event.kind === "tried" && nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#hasLine = true;
    const text = event.kind === "tried"
      ? `${event.done} of ${event.total} inputs`
      : `seed ${event.seed} shows a difference: making its ${event.sizeBytes} bytes fewer`;
    say(`${CLEAR_LINE}${colors.dim(text)}`);
  }

  end(): void {
    if (this.#hasLine) this.#session.say(CLEAR_LINE);
    this.#hasLine = false;
  }
}
