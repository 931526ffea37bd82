/** One run of a program in a box. */

import type { ControlGroup, ControlGroupRun } from "../cgroup/types.ts";
import { Plan } from "../ffi/plan.ts";
import { Routine } from "../ffi/routine.ts";
import type { System } from "../ffi/system.ts";
import { SandboxError } from "../host/errors.ts";
import type { Identity } from "../host/identity.ts";
import type { BoxPlaces } from "./claim/paths.ts";
import { planUsableCpus } from "./cpus.ts";
import { keep } from "./keep/keeper.ts";
import type { Outcome } from "./outcome/outcome.ts";
import type { Run, RunOptions } from "./run_options.ts";
import type { Sandbox } from "./sandbox.ts";
import { buildEnvironment } from "./setup/environment.ts";
import { type CallerLimits, planCallerLimits, planRemoteLimits } from "./setup/limits.ts";
import type { ReadyBox } from "./setup/ready_box.ts";
import { askForSources } from "./setup/sources.ts";
import { spawnBox } from "./setup/spawn.ts";
import { describeFilter, filterWalls } from "./setup/syscall_filter.ts";
import { planForeground } from "./setup/terminal.ts";
import { makeUserNamespace } from "./setup/user_namespace.ts";
import type { RunStreams } from "./streams/run_streams.ts";
import type { Input, Output, ProgramStreams, Stream, TransferredFds } from "./streams/streams.ts";

/** The kernel's own bound, CONFIG_NR_CPUS. */
const CPUS_MAX = 8192;

/** A program that is to be run, and the box, whose files belong to its user by now. */
export interface RunRequest {
  readonly sandbox: Sandbox;
  readonly places: BoxPlaces;
  /** The control group of the box, if it has one. */
  readonly controlGroup: ControlGroup | undefined;
  readonly command: readonly string[];
  readonly options: RunOptions;
  /** Descriptors that are closed here as soon as the box has them. */
  readonly transferred: TransferredFds;
  /** Where boxes are kept ready, if they are. */
  readonly ready: ReadyBox | undefined;
  readonly onLive?: Run["onLive"];
}

const ROOT: Identity = { uid: 0, gid: 0, groups: [] };

/** A run but for what comes from its caller while it starts. */
type AskedRun = Omit<Run, "streams" | "inherited" | "ownTerminal">;

/** Runs a program; all its processes are dead when this returns or throws. */
export async function runProgram(request: RunRequest): Promise<Outcome> {
  const group = beginGroup(request);
  try {
    return await runInGroup(request, group);
  } finally {
    try {
      group?.killAll();
    } finally {
      group?.close();
    }
  }
}

function beginGroup({ sandbox, places, controlGroup, options }: RunRequest) {
  const { processes = 1, controlGroupMemoryKib } = options.limits ?? {};
  if (!controlGroup && controlGroupMemoryKib !== undefined) {
    throw new SandboxError(
      "bad-option",
      "The limit controlGroupMemoryKib needs a box with a control group",
    );
  }
  return controlGroup?.begin({
    memoryKib: controlGroupMemoryKib,
    processes: processes === "unlimited" ? undefined : processes,
    ...sandbox.settings.perBox.get(places.boxId),
  });
}

async function runInGroup(
  request: RunRequest,
  group: ControlGroupRun | undefined,
): Promise<Outcome> {
  const { sandbox: { remote }, options } = request;
  checkOptions(options);
  const asked = describeRun(request, group);
  logRun(asked);
  if (!remote) return await runConnected(request, { ...asked, inherited: [], ownTerminal: false });
  const terminal = options.terminal ? await remote.lendTerminal() : undefined;
  try {
    const inherited = options.inheritDescriptors ? await remote.deliverDescriptors() : [];
    const ownTerminal = terminal !== undefined;
    return await runConnected(request, { ...asked, inherited, ownTerminal });
  } finally {
    await terminal?.end();
  }
}

/** Makes the network of a box with an address, and removes it after the run. */
async function runConnected(request: RunRequest, asked: Omit<Run, "streams">): Promise<Outcome> {
  const { sandbox, places: { boxId }, options: { address } } = request;
  if (address === undefined) return await runAsked(request, asked);
  const { connectBox } = await import("./network/box_network.ts");
  const network = await connectBox(sandbox, { boxId, address });
  try {
    return await runAsked(request, { ...asked, networkFd: network.fd });
  } finally {
    await network.disconnect();
  }
}

async function runAsked(request: RunRequest, asked: Omit<Run, "streams">): Promise<Outcome> {
  const { sandbox, options, transferred } = request;
  const { system } = sandbox;
  const plain = plainStreams(options);
  const streams = plain ? undefined : await openStreams(request);
  // Without anything to ask for the box is started at once.
  const given = sandbox.remote && await askForSources(sandbox.remote, options.directoryRules ?? []);
  try {
    const run = { ...asked, streams: plain ?? streams! };
    let box;
    let userNamespace: number | undefined;
    try {
      userNamespace = userNamespaceOf(asked);
      box = await spawnBox({ ...run, userNamespace }, given);
    } finally {
      if (given) system.close(...[...given.values()].filter((fd) => fd !== undefined));
      if (userNamespace !== undefined) system.close(userNamespace);
      transferred.close();
      streams?.passed();
    }
    try {
      return await keep(run, box, streams);
    } finally {
      if (options.terminal && !sandbox.remote) takeTerminalBack(system);
    }
  } finally {
    asked.ready?.endRun();
    streams?.close();
  }
}

/** Makes the user namespace of a program that is to be somebody else in its box. */
function userNamespaceOf({ sandbox: { system }, places, options }: AskedRun): number | undefined {
  const { boxUser, innerUser } = places;
  if (options.rootInside) {
    return makeUserNamespace(system, boxUser, { inside: ROOT, reason: "option --root-inside" });
  }
  if (!innerUser) return undefined;
  return makeUserNamespace(system, boxUser, { inside: innerUser, reason: "the user of the box" });
}

/** Describes the run: the request, the sandbox's decisions, and what this process passes on. */
function describeRun(
  { sandbox, places, command, options, ready, onLive }: RunRequest,
  controlGroup: ControlGroupRun | undefined,
): AskedRun {
  const { system, settings, caller } = sandbox;
  const { limits = {}, cpus, syscallFlags = settings.syscallFlags } = options;
  const { callerLimits, readCpus } = askForLimits(system, sandbox.remote);
  const isOneProcess = limits.processes === undefined || limits.processes === 1;
  return {
    sandbox,
    places,
    command,
    options,
    environment: options.environment ??
      buildEnvironment({ callerEnvironment: new Map(), inheritAll: false, rules: [] }),
    filter: sandbox.syscallFilter(
      syscallFlags,
      filterWalls(limits, {
        isRoot: caller.uid === 0,
        configuredFlags: settings.syscallFlags,
      }),
    ),
    callerLimits,
    cpuCount: isOneProcess ? 1 : cpus ? new Set(cpus).size : Math.max(1, readCpus().length),
    controlGroup,
    ready,
    onLive,
  };
}

/** Asks what the limits of a run depend on. */
function askForLimits(
  system: System,
  remote: Sandbox["remote"],
): { callerLimits: CallerLimits; readCpus: () => number[] } {
  if (!remote) {
    const { readLimits, readCpus } = OWN_LIMITS.run(system).parts;
    return { callerLimits: readLimits(), readCpus };
  }
  const { readLimits, readCpus } = REMOTE_LIMITS.run(system, remote.pid).parts;
  return { callerLimits: readLimits(remote.limits), readCpus };
}

const LIMITS_TITLE = "which limits the caller has";
const OWN_LIMITS = new Routine(LIMITS_TITLE, [], (plan) => ({
  readLimits: planCallerLimits(plan),
  readCpus: planUsableCpus(plan),
}));
const REMOTE_LIMITS = new Routine(LIMITS_TITLE, ["caller"], (plan, pid) => ({
  readLimits: planRemoteLimits(plan, pid!),
  readCpus: planUsableCpus(plan),
}));

/** Many runs have no stream that needs more than the box itself does. */
function plainStreams(options: RunOptions): ProgramStreams | undefined {
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const arePlain = isPlain(stdin) && isPlain(stdout) && (stderr === "stdout" || isPlain(stderr));
  return arePlain ? { stdin, stdout, stderr } : undefined;
}

function isPlain(stream: Input | Output): stream is Stream {
  return stream === "inherit" ||
    typeof stream === "object" && ("path" in stream || "fd" in stream && !("limitBytes" in stream));
}

async function openStreams({ sandbox, places, options }: RunRequest): Promise<RunStreams> {
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const { RunStreams } = await import("./streams/run_streams.ts");
  const { system, waiter, caller, own, settings: { boxRoot } } = sandbox;
  const { boxUser } = places;
  return new RunStreams({ system, waiter, stdin, stdout, stderr, caller, own, boxUser, boxRoot });
}

const HOSTNAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/;

function checkOptions(options: RunOptions): void {
  const { cpus, progressEveryMs, hostname, address, shareNetwork } = options;
  if (address !== undefined && shareNetwork) {
    throw new RangeError("Cannot share the network and have an address: choose one of them");
  }
  if (hostname !== undefined && !HOSTNAME.test(hostname)) {
    throw new RangeError(
      `Cannot call the host ${
        JSON.stringify(hostname)
      }: hostname takes up to 64 letters, digits, ` +
        "dots and dashes",
    );
  }
  const wrong = cpus?.find((cpu) => !Number.isInteger(cpu) || cpu < 0 || cpu >= CPUS_MAX);
  if (wrong !== undefined || cpus?.length === 0) {
    throw new RangeError(
      `Cannot choose CPUs as cpus must be a list of numbers from 0 to ${CPUS_MAX - 1}: ` +
        (wrong === undefined ? "it is empty" : `one of them is ${wrong}`),
    );
  }
  if (progressEveryMs !== undefined && !(progressEveryMs > 0)) {
    throw new RangeError(
      `Cannot report progress as progressEveryMs must be > 0: current value is ${progressEveryMs}`,
    );
  }
}

function logRun(
  { sandbox, places, command, environment, filter }: AskedRun,
): void {
  const { log } = sandbox;
  const { uid, gid } = places.innerUser ?? places.boxUser;
  log(1, () => `Running ${JSON.stringify(command)} in box ${places.boxId} as ${uid}:${gid}`);
  log(2, () => ["Environment:", ...[...environment].map(([k, v]) => `  ${k}=${v}`)].join("\n"));
  log(3, () => filter ? `System call filter:\n${describeFilter(filter)}` : "No system call filter");
}

function takeTerminalBack(system: System): void {
  const plan = new Plan();
  planForeground(plan, { ignore: "all" });
  system.run(plan, "take the terminal back");
}
