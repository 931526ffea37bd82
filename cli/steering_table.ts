/** The commands that look at boxes and steer them; a service that runs carries them out. */

import { nonEmpty } from "./values.ts";
import { flag, option, type OptionTable } from "./option.ts";
import { type Command, type Given, subcommand } from "./subcommand.ts";

/** What a command that looks at boxes, or steers one, is asked for. */
export class SteeringRequest {
  configFile: string | undefined;
  json = false;
  watch = false;
  pauseClock = false;
  asRoot = false;
}

type Steer = typeof import("./steer.ts");

const CONFIG = option<SteeringRequest, string>(
  "--config=FILE",
  "Read this configuration instead of the system's; root only",
  { read: nonEmpty, set: (request, file) => request.configFile = file },
);

const JSON_FLAG = flag<SteeringRequest>("--json", "Print JSON instead", (request) => {
  request.json = true;
});

function steering({ name, run, options = [], ...facts }: {
  name: string;
  parameters?: string;
  summary: string;
  about?: string;
  notes?: string;
  options?: OptionTable<SteeringRequest>[string];
  run: (steer: Steer) => (request: SteeringRequest, given: Given) => Promise<number>;
}): Command {
  return subcommand<SteeringRequest>({
    name,
    ...facts,
    request: () => new SteeringRequest(),
    options: { "Options": [...options, CONFIG] },
    run: async (request, given) => await run(await import("./steer.ts"))(request, given),
  });
}

/** Every one of them; isolate.ts knows their names too. */
export const STEERING: readonly Command[] = [
  steering({
    name: "list",
    summary: "List boxes: who owns them, what runs in them, and what it uses",
    about: "List your boxes, or all boxes for root. Times and limits are known of boxes that the " +
      "service runs.",
    notes: `\
--json prints a list of objects: id, owner (a user id), state, program (its
arguments), since, cpuTimeMs, wallTimeMs, memoryKib, processes (how many),
limits, last (the last run). What is not known is null. States are idle, ready
(the next run finds the box made), running, stopped, held (somebody works on
it), being made, and unfinished. --watch --json prints one list on each line.`,
    options: [
      JSON_FLAG,
      flag("--watch", "Print the list again each second, until interrupted", (request) => {
        request.watch = true;
      }),
    ],
    run: (steer) => steer.list,
  }),
  steering({
    name: "status",
    parameters: "ID",
    summary: "Show a box: its processes with memory and descriptors, or how the last run ended",
    notes: `\
The service keeps the outcome of the last run until the next one begins or the
box is cleaned up. With --crash-report for that run it has the fatal signal, its
reason, the address of the fault and the registers of the thread, too.
--json prints the keys of 'list' and these: processes (pid, pidInBox, parentPid,
name, state, threads, cpuTimeMs, memory in KiB by kind, descriptors), at most
100 of processCount; last has program, ended, outcome, and crash (signal, code,
codeName, address, thread, registers; numbers of 64 bits are hexadecimal text).`,
    options: [JSON_FLAG],
    run: (steer) => steer.status,
  }),
  steering({
    name: "signal",
    parameters: "ID SIGNAL",
    summary: "Send a signal to the program of a box, by name or number",
    run: (steer) => steer.signal,
  }),
  steering({
    name: "stop",
    parameters: "ID",
    summary: "Stop all processes of a box until 'continue'",
    notes: `\
With a control group of version 2 the kernel freezes all processes, and nothing
in the box can undo that. Otherwise all get SIGSTOP at once: programs can notice
it (SIGCHLD, and SIGCONT afterwards), and one that has prepared for it can have
a timer send it SIGCONT. (What the freezer of version 1 holds could not be
killed.) The wall clock goes on unless --pause-clock stops it until 'continue';
the CPU time is limited in any case.`,
    options: [
      flag("--pause-clock", "Stop its wall clock too; needs the service", (request) => {
        request.pauseClock = true;
      }),
    ],
    run: (steer) => steer.stop,
  }),
  steering({
    name: "continue",
    parameters: "ID",
    summary: "Let stopped processes of a box, and its wall clock, go on",
    run: (steer) => steer.goOn,
  }),
  steering({
    name: "kill",
    parameters: "ID",
    summary: "Kill everything in a box; a run of the service ends as interrupted",
    run: (steer) => steer.kill,
  }),
  steering({
    name: "enter",
    parameters: "ID [COMMAND...]",
    summary: "Run a shell, or another command, inside a box",
    about:
      "If something runs in the box, the command joins it, as the box's user and in its control " +
      "group, and dies with it. This needs the service. In an idle box the command is an ordinary " +
      "run. Whatever the command has started dies with it.",
    notes: `\
Options of the command go behind '--': isolate enter 7 -- /bin/ls -l
If the caller has a terminal, the command gets one, with job control. The exit
status is that of the command, or 128 and the number of the signal that ended
it. What the command uses counts as the program's: time and memory with a
control group, processes always. The program may do to the command what it may
do to its own children, and may read what is typed: do not type secrets. With
--root the program cannot touch the command. But then root runs what the box
shows: directory rules may show files of the box's owner, and the devices in
/dev are the host's.`,
    options: [
      flag(
        "--root",
        "Enter as root, able to see and repair everything in it; root only",
        (request) => {
          request.asRoot = true;
        },
      ),
    ],
    run: (steer) => steer.enter,
  }),
  steering({
    name: "metrics",
    summary: "Print what the service counts, in the text format of Prometheus",
    run: (steer) => steer.metrics,
  }),
];
