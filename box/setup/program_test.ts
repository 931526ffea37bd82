import { ERRNO } from "../../ffi/errno.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  F_SETFD,
  KEYCTL_JOIN_SESSION_KEYRING,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_TRUNC,
  O_WRONLY,
  TIOCSPGRP,
} from "../../ffi/linux.ts";
import { Data, Plan, Slot, type Step } from "../../ffi/plan.ts";
import { allSteps, stepsOf, textOf } from "../../tests/support/plans.ts";
import type { RunOptions } from "../run_options.ts";
import type { ProgramStreams } from "../streams/streams.ts";
import { planProgram, type ProgramRun } from "./program.ts";
import { buildSyscallFilter, SYSCALL_FLAGS } from "./syscall_filter.ts";

const REPORT_FD = 50;

const STREAMS: ProgramStreams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };

const RUN: ProgramRun = {
  command: ["/bin/echo", "hello", "world"],
  environment: new Map([["A", "1"], ["B", ""]]),
  options: {},
  streams: STREAMS,
  controlGroup: undefined,
  ready: undefined,
  callerLimits: { openFilesSoft: 1024, openFilesHard: 4096, hardLimits: new Map() },
  filter: undefined,
  places: { boxUser: { uid: 60001, gid: 60001, groups: [] } },
};

function planned(
  { options = {}, streams = {}, reportFd = REPORT_FD, ...run }:
    & Partial<Pick<ProgramRun, "command" | "filter">>
    & { options?: RunOptions; streams?: Partial<ProgramStreams>; reportFd?: number } = {},
): Plan {
  const plan = new Plan();
  planProgram(plan, { ...RUN, ...run, options, streams: { ...STREAMS, ...streams } }, {
    reportFd,
    programFds: {
      userNamespace: undefined,
      streams: { ...STREAMS, ...streams },
      group: [],
      birth: undefined,
      remote: undefined,
      inherited: [],
      passed: [],
    },
  });
  return plan;
}

/** Returns the position of a step, which must be there exactly once. */
function position(plan: Plan, operation: string): number {
  const found = allSteps(plan).flatMap((step, i) => step.operation === operation ? [i] : []);
  assertEquals(found.length, 1, operation);
  return found[0]!;
}

function numbers(step: Step): readonly (number | string)[] {
  return step.args.map((arg) =>
    arg instanceof Slot ? "slot" : arg instanceof Data ? arg.text ?? "data" : Number(arg)
  );
}

/** How many strings an array of pointers has, the null pointer at its end left out. */
function stringCount(step: Step, index: number): number {
  return (step.args[index] as Data).length / 8 - 1;
}

Deno.test("planProgram() executes exactly the command, with as many arguments and variables", () => {
  const [step] = stepsOf(planned(), "execve");
  assertEquals(textOf(step!, 0), "/bin/echo");
  assertEquals([1, 2].map((index) => stringCount(step!, index)), [3, 2]);
});

Deno.test("planProgram() opens redirections as the box's user, before it enters the directory", () => {
  const plan = planned({
    streams: { stdin: { path: "in" }, stdout: { path: "out" }, stderr: { path: "err" } },
    options: { workingDirectory: "/tmp" },
  });
  const steps = allSteps(plan);
  const user = position(plan, "setresuid");
  const opened = steps.flatMap((step, i) => step.operation === "openat" ? [i] : []);
  assertEquals(opened.map((i) => textOf(steps[i]!, 1)), ["in", "out", "err"]);
  const entered = steps.flatMap((step, i) => step.operation === "chdir" ? [i] : []);
  assertEquals(entered.map((i) => textOf(steps[i]!, 0)), ["/box", "/tmp"]);
  assert(user < opened[0]! && entered[0]! < opened[0]! && opened[2]! < entered[1]!);
});

Deno.test("planProgram() truncates and creates outputs, and only reads the input", () => {
  const plan = planned({ streams: { stdin: { path: "in" }, stdout: { path: "out" } } });
  const [input, output] = stepsOf(plan, "openat");
  assertEquals(input!.args[2], O_CLOEXEC | O_NOCTTY);
  assertEquals(output!.args[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY);
  assertEquals(output!.args[3], 0o666);
});

Deno.test("planProgram() sends standard error where standard output went", () => {
  const plan = planned({ streams: { stdout: { path: "out" }, stderr: "stdout" } });
  const copies = stepsOf(plan, "dup3").map(numbers);
  assertEquals(copies, [["slot", 1, 0], [1, 2, 0]]);
});

Deno.test("planProgram() passes descriptors, also one that has the right number already", () => {
  const plan = planned({ streams: { stdin: { fd: 0 }, stdout: { fd: 9 } } });
  assertEquals(stepsOf(plan, "dup3").map(numbers), [[9, 1, 0]]);
  assertEquals(numbers(stepsOf(plan, "fcntl")[0]!), [0, F_SETFD, 0]);
});

Deno.test("planProgram() closes all descriptors around the one of the keeper", () => {
  const ranges = stepsOf(planned(), "close_range").map(numbers);
  assertEquals(ranges, [[3, REPORT_FD - 1, 0], [REPORT_FD + 1, 0xffffffff, 0]]);
  const lowest = stepsOf(planned({ reportFd: 3 }), "close_range").map(numbers);
  assertEquals(lowest, [[4, 0xffffffff, 0]]);
});

Deno.test("planProgram() closes nothing else if descriptors are to be inherited", () => {
  assertEquals(stepsOf(planned({ options: { inheritDescriptors: true } }), "close_range"), []);
});

Deno.test("planProgram() installs the filter when all else is done", () => {
  const filter = buildSyscallFilter({
    flags: SYSCALL_FLAGS.keyctl,
    arch: "x86_64",
  });
  assert(filter);
  const plan = planned({ filter });
  const filtered = position(plan, "seccomp");
  for (const operation of ["setresuid", "capset", "setgroups"]) {
    assert(position(plan, operation) < filtered, operation);
  }
  assert(filtered < position(plan, "execve"));
  assertEquals(stepsOf(planned(), "seccomp"), []);
});

Deno.test("planProgram() leaves the caller's keyring and process group", () => {
  const plan = planned();
  assertEquals(stepsOf(plan, "keyctl")[0]!.args[0], KEYCTL_JOIN_SESSION_KEYRING);
  assertEquals(numbers(stepsOf(plan, "setpgid")[0]!), [0, 0]);
});

Deno.test("planProgram() empties the keyrings of the box's user", () => {
  const [KEYCTL_CLEAR, KEYCTL_GET_PERSISTENT, KEYCTL_INVALIDATE] = [7, 22, 21];
  const [PROCESS_KEYRING, USER_KEYRING, USER_SESSION_KEYRING] = [-2, -4, -5];
  assertEquals(stepsOf(planned(), "keyctl").slice(1).map(numbers), [
    [KEYCTL_CLEAR, USER_KEYRING, 0, 0, 0],
    [KEYCTL_INVALIDATE, USER_KEYRING, 0, 0, 0],
    [KEYCTL_CLEAR, USER_SESSION_KEYRING, 0, 0, 0],
    [KEYCTL_INVALIDATE, USER_SESSION_KEYRING, 0, 0, 0],
    [KEYCTL_GET_PERSISTENT, -1, PROCESS_KEYRING, 0, 0],
    [KEYCTL_CLEAR, "slot", 0, 0, 0],
  ]);
});

Deno.test("planProgram() says why execve failed and exits with 127", () => {
  const plan = planned({ command: ["/no/such"] });
  const steps = allSteps(plan);
  const after = steps.slice(position(plan, "execve") + 1);
  const line = after.find((step) => step.options.when?.[1] === -ERRNO.ENOENT)!;
  assertEquals(line.args[0], 2);
  assertEquals(textOf(line, 1), 'execve("/no/such"): No such file or directory\n');
  assertEquals([after.at(-1)!.operation, ...after.at(-1)!.args], ["exit_group", 127]);
});

Deno.test("planProgram() reports the start right before execve, and last takes the times", () => {
  const operations = allSteps(planned()).map((step) => step.operation);
  const at = operations.indexOf("execve");
  assertEquals(operations.slice(at - 3, at), ["clock_gettime", "clock_gettime", "sendmsg"]);
});

Deno.test("planProgram() changes the terminal's foreground only when asked to", () => {
  const terminal = planned({ options: { terminal: true } });
  const [step] = stepsOf(terminal, "ioctl");
  assertEquals(step!.args.slice(0, 2), [1, TIOCSPGRP]);
  assertStringIncludes(step!.options.what!, "foreground of the terminal");
  assertEquals(stepsOf(planned(), "ioctl"), []);
});
