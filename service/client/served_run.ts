/** One run through the service: streams are moved here, limits are watched and boxes made there. */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import { SandboxError } from "../../host/errors.ts";
import type { Outcome, Usage } from "../../box/outcome/outcome.ts";
import { fromMeta } from "../../box/outcome/outcome_meta.ts";
import type { RunOptions } from "../../box/run_options.ts";
import type { Sandbox } from "../../box/sandbox.ts";
import { makePipes } from "../../box/streams/pipes.ts";
import { RunStreams, type StreamEnd } from "../../box/streams/run_streams.ts";
import { makeMemoryFile } from "../../box/streams/stream_fds.ts";
import type { Stream } from "../../box/streams/streams.ts";
import { openNothing, readMemory, type ServiceCaller } from "./client_process.ts";
import { environmentArguments, runArguments } from "./run_command.ts";

/** Where the client finds what it writes to; the first three are the program's streams. */
const META = "--meta=/dev/fd/3";
const FOLLOW = "--follow=/dev/fd/4";
const FOLLOW_BYTES = 4096;
/** Dead programs write no more: what is left in pipes is moved within this time. */
const LAST_OUTPUT_MS = 10_000;
const NO_USAGE: Usage = {
  cpuTimeMs: 0,
  wallTimeMs: 0,
  maxRssKib: 0,
  voluntaryContextSwitches: 0,
  forcedContextSwitches: 0,
};

/** What is run, and where. */
export interface ServedRunRequest {
  readonly sandbox: Sandbox;
  readonly caller: ServiceCaller;
  /** The options that name the box. */
  readonly boxArguments: readonly string[];
  readonly command: readonly string[];
  readonly options: RunOptions;
  /** Called when the client has the program's streams, or could not be started. */
  readonly onPassed: () => void;
}

/** Runs a program, and waits until everything in its box is dead. */
export async function runServed(request: ServedRunRequest): Promise<Outcome> {
  const { sandbox: { system, waiter, caller, own, settings }, options } = request;
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const { boxRoot } = settings;
  const access = { system, waiter, caller, own, boxUser: undefined, boxRoot };
  const streams = new RunStreams({ ...access, stdin, stdout, stderr });
  try {
    return await new ServedRun(request, streams).run();
  } finally {
    request.onPassed();
    streams.close();
  }
}

class ServedRun {
  readonly #request: ServedRunRequest;
  readonly #streams: RunStreams;
  readonly #meta: number;
  readonly #follow: { readFd: number; writeFd: number };
  #client = -1;
  #followed = "";
  #isFollowing = true;
  #aborted: { reason: unknown } | undefined;
  #streamEnded = false;
  #thrown: { error: unknown } | undefined;

  constructor(request: ServedRunRequest, streams: RunStreams) {
    const { system } = request.sandbox;
    this.#request = request;
    this.#streams = streams;
    this.#meta = makeMemoryFile(system);
    this.#follow = makePipes(system, 1, "make a pipe for the progress of a run")[0]!;
    const plan = new Plan();
    plan.step("fcntl", [this.#follow.readFd, linux.F_SETFL, linux.O_NONBLOCK]);
    // The client opens it again, as anybody may who has it.
    plan.step("fchmod", [this.#meta, 0o600]);
    system.run(plan, "prepare a run");
  }

  async run(): Promise<Outcome> {
    const { sandbox: { system, waiter }, options: { signal } } = this.#request;
    const onAbort = () => this.#abort(signal?.reason);
    try {
      this.#start();
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) onAbort();
      this.#streams.begin(() => {
        this.#streamEnded = true;
        this.#end();
      });
      const status = await this.#watch();
      const deadlineMs = system.nowMs() + LAST_OUTPUT_MS;
      await this.#streams.finish({ deadlineMs, abort: signal });
      return this.#conclude(status);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      waiter.forget(this.#client, this.#follow.readFd);
      system.close(this.#client, this.#meta, this.#follow.readFd, this.#follow.writeFd);
    }
  }

  #start(): void {
    const { caller, boxArguments, command, options, sandbox: { system }, onPassed } = this.#request;
    const { environment = new Map([["LIBC_FATAL_STDERR_", "1"]]) } = options;
    const nothing = openNothing(system);
    try {
      const { stdin, stdout, stderr } = this.#streams;
      const fdOf = (stream: Stream, inherited: number) =>
        stream === "inherit" ? inherited : "fd" in stream ? stream.fd : nothing;
      this.#client = caller.start({
        args: [
          ...boxArguments,
          ...[META, FOLLOW, "--silent"],
          ...runArguments(options),
          ...environmentArguments(environment),
          ...["--run", "--", ...command],
        ],
        environment,
        fds: [
          fdOf(stdin, 0),
          fdOf(stdout, 1),
          // What the service has to say if it cannot run the program comes there, too.
          stderr === "stdout" ? fdOf(stdout, 1) : fdOf(stderr, 2),
          this.#meta,
          this.#follow.writeFd,
        ],
      });
    } finally {
      system.close(nothing, this.#follow.writeFd);
      this.#follow.writeFd = -1;
      this.#streams.passed();
      onPassed();
    }
  }

  /** Moves what goes through streams until the client has ended; returns its status. */
  async #watch(): Promise<number> {
    const { sandbox: { system, waiter }, caller } = this.#request;
    for (;;) {
      const status = caller.tryReap(this.#client);
      this.#readProgress();
      if (status !== undefined) return status;
      this.#streams.turn(system.nowMs());
      const { readable, writable, nextTurnMs } = this.#streams;
      const own = this.#isFollowing ? [this.#client, this.#follow.readFd] : [this.#client];
      await waiter.ready({ readable: [...own, ...readable], writable }, nextTurnMs);
    }
  }

  #readProgress(): void {
    const { system } = this.#request.sandbox;
    while (this.#isFollowing) {
      const plan = new Plan();
      const [bytes, length] = [plan.alloc(FOLLOW_BYTES), plan.slot("length")];
      plan.step("read", [this.#follow.readFd, bytes, FOLLOW_BYTES], {
        into: length,
        ignore: "all",
      });
      system.run(plan, "read the progress of a run");
      const count = plan.result(length);
      if (count < 0) return;
      if (count === 0) this.#isFollowing = false;
      this.#followed += new TextDecoder().decode(plan.content(bytes, count));
      const lines = this.#followed.split("\n");
      this.#followed = lines.pop()!;
      for (const line of lines) this.#tell(line);
    }
  }

  #tell(line: string): void {
    const { onProgress, onEnd } = this.#request.options;
    const facts = new Map(
      line.split(" ").map((word): [string, number] => {
        const [name = "", value] = word.split(":");
        return [name, Number(value)];
      }),
    );
    const endedS = facts.get("end");
    if (endedS !== undefined) return onEnd?.(endedS * 1000);
    try {
      onProgress?.({
        cpuTimeMs: (facts.get("time") ?? 0) * 1000,
        wallTimeMs: (facts.get("time-wall") ?? 0) * 1000,
        peakMemoryKib: facts.get("cg-mem"),
      });
    } catch (error) {
      this.#thrown ??= { error };
      this.#end();
    }
  }

  #abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#end();
  }

  #end(): void {
    if (this.#client >= 0) this.#request.caller.signal(this.#client, linux.SIGNALS.SIGTERM);
  }

  #conclude(status: number): Outcome {
    if (this.#thrown) throw this.#thrown.error;
    const streamEnd = this.#streams.end;
    if (streamEnd?.kind === "error") throw streamEnd.error;
    const text = readMemory(this.#request.sandbox.system, this.#meta);
    const reason = this.#aborted?.reason;
    if (reason instanceof SandboxError) throw reason;
    if (status !== 0 && status !== 1 && !text.includes("status:XX")) {
      // It was ended before it could ask for anything.
      if (this.#aborted) return interrupted(reason, NO_USAGE);
      throw new SandboxError(
        "internal",
        "The isolate service has ended, or refused the run: see its log",
      );
    }
    const outcome = fromMeta(text);
    if (outcome.kind !== "interrupted") return limited(outcome, streamEnd);
    if (this.#streamEnded && streamEnd) return overflowed(streamEnd, outcome.usage);
    return interrupted(reason, outcome.usage);
  }
}

/** Times decide before output does, and output before the way in which the program ended. */
function limited(outcome: Outcome, streamEnd: StreamEnd | undefined): Outcome {
  if (!streamEnd || outcome.kind === "time-limit") return outcome;
  return overflowed(streamEnd, outcome.usage);
}

function overflowed(streamEnd: StreamEnd, usage: Usage): Outcome {
  const stream = streamEnd.kind === "overflow" ? streamEnd.stream : "stdout";
  return { kind: "output-limit", stream, usage };
}

function interrupted(reason: unknown, usage: Usage): Outcome {
  return { kind: "interrupted", signal: typeof reason === "number" ? reason : undefined, usage };
}
