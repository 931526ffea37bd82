/** What the commands that look at boxes and steer them do. */

import {
  Box,
  type BoxSight,
  buildEnvironment,
  type Enterable,
  enterBox,
  inHeldBox,
  lookAtProcesses,
  nothingRuns,
  outcomeMessage,
  parseEnvironmentRule,
  type Sandbox,
  SandboxError,
  signalBox,
  SIGNALS,
  stopBox,
  surveyBoxes,
} from "../core.ts";
import { UsageError } from "./complain.ts";
import type { Origin } from "./origin.ts";
import { boxJson, boxTable, statusJson, statusText } from "./steering_text.ts";
import type { SteeringRequest } from "./steering_table.ts";
import type { Given } from "./subcommand.ts";
import { parseUnsigned } from "./values.ts";

const WATCH_MS = 1000;
/** Clears the terminal, as clear(1) does. */
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";
const SIGNALS_MAX = 64;
const VISITOR_VARIABLES = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/box", "TERM", "LANG"];
/** These end a visit. */
const ENDING: ReadonlySet<number> = new Set([SIGNALS.SIGTERM, SIGNALS.SIGHUP]);

/** `isolate list`. */
export async function list(request: SteeringRequest, given: Given): Promise<number> {
  const { origin, sandbox } = await open(request, given, []);
  const look = async () => await surveyBoxes(sandbox, { mayUse: mayUse(origin) });
  const table = async (boxes: readonly BoxSight[]) => boxTable(boxes, await origin.terminalWidth());
  if (!request.watch) {
    const boxes = await look();
    origin.print("stdout", request.json ? json(boxes.map(boxJson), 2) : await table(boxes));
    return 0;
  }
  let isOver = false;
  origin.catchSignals(sandbox, () => isOver = true);
  while (!isOver) {
    const boxes = await look();
    const text = request.json ? json(boxes.map(boxJson)) : CLEAR + await table(boxes);
    origin.print("stdout", text);
    // A reader that is slow gets fewer lists.
    await origin.printed();
    const untilMs = sandbox.system.nowMs() + WATCH_MS;
    while (!isOver && sandbox.system.nowMs() < untilMs) await sandbox.waiter.sleep(100);
  }
  return 0;
}

/** `isolate status ID`. */
export async function status(request: SteeringRequest, given: Given): Promise<number> {
  const { origin, sandbox, box } = await openBox(request, given, ["ID"]);
  const processes = await lookAtProcesses(sandbox, box);
  origin.print(
    "stdout",
    request.json ? json(statusJson(box, processes), 2) : statusText(box, processes),
  );
  return 0;
}

/** `isolate signal ID SIGNAL`. */
export async function signal(request: SteeringRequest, given: Given): Promise<number> {
  const number = signalNumber(given.parameters[1] ?? "");
  const { sandbox, box } = await openBox(request, given, ["ID", "SIGNAL"]);
  signalBox(sandbox, box, { signal: number, to: "program" });
  return 0;
}

/** `isolate stop ID`. */
export async function stop(request: SteeringRequest, given: Given): Promise<number> {
  const { sandbox, box } = await openBox(request, given, ["ID"]);
  const live = sandbox.runs?.live(box.boxId);
  if (request.pauseClock && !live) {
    if (box.processes.length === 0) throw nothingRuns(box.boxId);
    throw new SandboxError(
      "bad-option",
      `The wall clock of box ${box.boxId} cannot be paused: the service does not run it`,
    );
  }
  stopBox(sandbox, box, true);
  if (request.pauseClock) live?.pauseClock(true);
  return 0;
}

/** `isolate continue ID`. */
export async function goOn(request: SteeringRequest, given: Given): Promise<number> {
  const { sandbox, box } = await openBox(request, given, ["ID"]);
  stopBox(sandbox, box, false);
  sandbox.runs?.live(box.boxId)?.pauseClock(false);
  return 0;
}

/** `isolate kill ID`. */
export async function kill(request: SteeringRequest, given: Given): Promise<number> {
  const { sandbox, box } = await openBox(request, given, ["ID"]);
  const live = sandbox.runs?.live(box.boxId);
  if (live) live.kill();
  else signalBox(sandbox, box, { signal: SIGNALS.SIGKILL, to: "all" });
  return 0;
}

/** `isolate enter ID [COMMAND...]`. */
export async function enter(request: SteeringRequest, given: Given): Promise<number> {
  const [id, ...typed] = given.parameters;
  const rest = { ...given, parameters: id === undefined ? [] : [id] };
  const { origin, sandbox, box } = await openBox(request, rest, ["ID"]);
  const command = typed.length > 0 ? typed : ["/bin/sh"];
  const environment = buildEnvironment({
    callerEnvironment: await origin.environment,
    inheritAll: false,
    rules: VISITOR_VARIABLES.map(parseEnvironmentRule),
  });
  const live = sandbox.runs?.live(box.boxId);
  if (request.asRoot && sandbox.caller.uid !== 0) {
    throw new SandboxError("bad-option", "Option --root can be used only by root");
  }
  const visitor = { origin, sandbox, command, environment, asRoot: request.asRoot };
  if (live && sandbox.remote) return await visit(live, visitor);
  if (box.processes.length > 0) {
    throw new SandboxError(
      "bad-option",
      `Box ${box.boxId} cannot be entered: the service does not run it`,
    );
  }
  if (!request.asRoot) return await enterIdle({ ...visitor, boxId: box.boxId });
  if (!sandbox.remote) throw new SandboxError("bad-option", "Option --root needs the service");
  const held = await Box.open({ sandbox, boxId: box.boxId });
  try {
    return await inHeldBox(sandbox, box.boxId, (place) => visit(place, visitor));
  } finally {
    held.release();
  }
}

interface BoxVisitor {
  readonly origin: Origin;
  readonly sandbox: Sandbox;
  readonly command: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** Enters a box that is there, with a terminal if the caller has one. */
async function visit(
  place: Enterable,
  { origin, sandbox, ...entrant }: BoxVisitor & { asRoot: boolean },
): Promise<number> {
  const remote = sandbox.remote!;
  const terminal = await remote.lendTerminal();
  try {
    const ownTerminal = terminal !== undefined;
    const visit = enterBox(sandbox, place, { ...entrant, ownTerminal, remote });
    // A shell ignores what asks it to end; a client that has gone needs none.
    origin.catchSignals(
      sandbox,
      (number) => visit.signal(ENDING.has(number) ? SIGNALS.SIGKILL : number),
    );
    return await visit.status;
  } finally {
    await terminal?.end();
  }
}

/** Runs a program as --run does, with as many processes as it likes. */
async function enterIdle(
  { origin, sandbox, boxId, command, environment }: BoxVisitor & { boxId: number },
): Promise<number> {
  const abort = new AbortController();
  origin.catchSignals(sandbox, (number) => {
    if (number !== SIGNALS.SIGINT) abort.abort(number);
  });
  const box = await Box.open({ sandbox, boxId });
  try {
    const limits = { processes: "unlimited" } as const;
    const { remote } = sandbox;
    const terminal = remote ? await remote.hasTerminal() : Deno.stdout.isTerminal();
    const { signal } = abort;
    const outcome = await box.run(command, { environment, limits, signal, terminal });
    if (outcome.kind === "exit") return outcome.exitCode;
    origin.print("stderr", outcomeMessage(outcome) + "\n");
    return outcome.kind === "signal" ? 128 + outcome.signal : 1;
  } finally {
    box.release();
  }
}

/** `isolate metrics`. */
export async function metrics(request: SteeringRequest, given: Given): Promise<number> {
  const { origin } = await open(request, given, []);
  if (!origin.metrics) {
    throw new SandboxError("bad-option", "There are no metrics without a service: isolate serve");
  }
  origin.print("stdout", await origin.metrics());
  return 0;
}

/** Opens the sandbox, once the number of parameters is right. */
async function open(
  { configFile }: SteeringRequest,
  { parameters, origin: findOrigin }: Given,
  names: readonly string[],
): Promise<{ origin: Origin; sandbox: Sandbox }> {
  if (parameters.length !== names.length) {
    const missing = names[parameters.length];
    throw new UsageError(
      missing ? `${missing} is missing` : `Too many parameters: ${parameters[names.length]}`,
    );
  }
  const origin = await findOrigin();
  return { origin, sandbox: await origin.openSandbox({ configFile }) };
}

/** Finds the box that is named first. */
async function openBox(
  request: SteeringRequest,
  given: Given,
  names: readonly string[],
): Promise<{ origin: Origin; sandbox: Sandbox; box: BoxSight }> {
  const { origin, sandbox } = await open(request, given, names);
  const boxId = parseUnsigned(given.parameters[0]!, {
    hint: "ID is the number of a box",
    range: [0, sandbox.settings.numBoxes - 1],
  });
  origin.checkBox(boxId);
  const [box] = await surveyBoxes(sandbox, { boxId, mayUse: () => true });
  if (box) return { origin, sandbox, box };
  throw new SandboxError(
    "no-box",
    sandbox.caller.uid === 0
      ? `There is no box ${boxId}`
      : `There is no box ${boxId} of user ${sandbox.caller.uid}`,
  );
}

function mayUse(origin: Origin): (boxId: number) => boolean {
  return (boxId) => {
    try {
      origin.checkBox(boxId);
      return true;
    } catch (error) {
      if (error instanceof SandboxError) return false;
      throw error;
    }
  };
}

function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent) + "\n";
}

/** Reads a signal: `SIGTERM`, `term`, `15`. */
function signalNumber(text: string): number {
  if (/^[0-9]+$/.test(text)) {
    return parseUnsigned(text, { hint: "SIGNAL is a name or a number", range: [1, SIGNALS_MAX] });
  }
  const name = text.toUpperCase().replace(/^(SIG)?/, "SIG");
  const found = Object.entries(SIGNALS).find(([known]) => known === name);
  if (found) return found[1];
  throw new UsageError(`There is no signal ${text} (SIGNAL is a name or a number, e.g. SIGTERM)`);
}
