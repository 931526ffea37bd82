/** How boxes are shown: as a table, in full, and as JSON. */

import {
  type BoxSight,
  type Limits,
  type Outcome,
  outcomeMessage,
  type ProcessSight,
} from "../core.ts";
import { columns, cutToColumns, padToColumns } from "../text/columns.ts";
import { countText, sizeText, timeText } from "../text/quantities.ts";
import { visibleText } from "../text/visible.ts";
import { crashJson, crashLines } from "./crash_text.ts";

const PROGRAM_WIDTH = 60;
/** What a line that is too long leaves out, one after the other, so that so much of the program is seen. */
const EXPENDABLE = ["LIMITS", "SINCE", "OWNER", "PROCESSES"];
const PROGRAM_WIDTH_MIN = 16;
const GAP = 2;

/** What the table shows of a box, but the program. */
const CELLS: Readonly<Record<string, (box: BoxSight) => string>> = {
  "BOX": ({ boxId }) => String(boxId),
  "OWNER": ({ ownerUid }) => String(ownerUid),
  "STATE": ({ state }) => state,
  "SINCE": ({ sinceMs }) => orDash(sinceMs, clock),
  "CPU": ({ cpuTimeMs }) => orDash(cpuTimeMs, timeText),
  "WALL": ({ wallTimeMs }) => orDash(wallTimeMs, timeText),
  "MEMORY": ({ memoryKib }) => orDash(memoryKib, sizeText),
  "PROCESSES": ({ processes }) => String(processes.length),
  "LIMITS": ({ limits }) => orDash(limits, limitsText),
};

/** Lists boxes, one on a line; on a terminal no line is longer than that is wide. */
export function boxTable(boxes: readonly BoxSight[], terminalWidth = Infinity): string {
  if (boxes.length === 0) return "There are no boxes.\n";
  let table = Object.entries(CELLS).map(([heading, cell]) => {
    const cells = [heading, ...boxes.map(cell)];
    return { heading, cells, width: Math.max(...cells.map(columns)) };
  });
  const left = () => table.reduce((left, { width }) => left - width - GAP, terminalWidth);
  for (const heading of EXPENDABLE) {
    if (left() < PROGRAM_WIDTH_MIN) table = table.filter((column) => column.heading !== heading);
  }
  const programWidth = Math.max(1, Math.min(PROGRAM_WIDTH, left()));
  const programs = ["PROGRAM", ...boxes.map(({ command }) => orDash(command, commandText))];
  return programs.map((program, row) => {
    const cells = table.map(({ cells, width }) => padToColumns(cells[row]!, width));
    return [...cells, cutToColumns(program, programWidth)].join(" ".repeat(GAP)).trimEnd() + "\n";
  }).join("");
}

/** Shows one box in full. */
export function statusText(box: BoxSight, processes: readonly ProcessSight[]): string {
  const { boxId, ownerUid, state, last, limits } = box;
  const lines = [
    `Box ${boxId} of user ${ownerUid}: ${state}`,
    ...box.command ? [`Program: ${commandText(box.command)}`] : [],
    ...box.sinceMs === undefined ? [] : [`Since: ${new Date(box.sinceMs).toISOString()}`],
    ...box.cpuTimeMs === undefined ? [] : [`CPU time: ${timeText(box.cpuTimeMs)}`],
    ...box.wallTimeMs === undefined ? [] : [`Wall time: ${timeText(box.wallTimeMs)}`],
    ...box.memoryKib === undefined ? [] : [`Memory: ${sizeText(box.memoryKib)}`],
    ...limits ? [`Limits: ${limitsText(limits)}`] : [],
    ...processes.flatMap(processLines),
    ...box.processes.length > processes.length
      ? [`… and ${box.processes.length - processes.length} more processes`]
      : [],
  ];
  if (last) {
    lines.push(
      `Last run: ${commandText(last.command)}`,
      `  ended ${new Date(last.endedMs).toISOString()}: ${
        last.outcome ? outcomeMessage(last.outcome) : "the sandbox failed"
      }`,
      ...last.outcome ? crashLines(last.outcome).map((line) => `  ${line}`) : [],
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

function processLines(process: ProcessSight): string[] {
  const { pid, pidInBox, name, state, threads, memory, descriptors, cpuTimeMs } = process;
  const more = descriptors.count - descriptors.links.length;
  return [
    `Process ${pid} (${pidInBox} in the box) ${visibleText(name)}: state ${visibleText(state)}, ` +
    `${countText(threads, "thread")}, CPU ${timeText(cpuTimeMs)}`,
    `  memory: ${sizeText(memory.residentKib)} resident (${sizeText(memory.anonymousKib)} ` +
    `anonymous, ${sizeText(memory.filesKib)} of files, ${sizeText(memory.sharedKib)} shared), ` +
    `${sizeText(memory.peakResidentKib)} at most, ${sizeText(memory.virtualKib)} of addresses, ` +
    `${sizeText(memory.stackKib)} stack, ${sizeText(memory.swappedKib)} swapped out`,
    ...descriptors.links.map(({ fd, target }) => `  descriptor ${fd}: ${visibleText(target)}`),
    ...more > 0 ? [`  … and ${more} more descriptors`] : [],
  ];
}

/** A box for programs. */
export function boxJson(box: BoxSight): Record<string, unknown> {
  const { boxId, ownerUid, state, command, sinceMs, limits, last, processes } = box;
  return {
    id: boxId,
    owner: ownerUid,
    state,
    program: command ?? null,
    since: isoTime(sinceMs),
    cpuTimeMs: box.cpuTimeMs ?? null,
    wallTimeMs: box.wallTimeMs ?? null,
    memoryKib: box.memoryKib ?? null,
    processes: processes.length,
    limits: limits ?? null,
    last: last
      ? {
        program: last.command,
        ended: isoTime(last.endedMs),
        outcome: last.outcome ? withoutCrash(last.outcome) : null,
        crash: last.outcome ? crashJson(last.outcome) : null,
      }
      : null,
  };
}

/** One box in full for programs. */
export function statusJson(
  box: BoxSight,
  processes: readonly ProcessSight[],
): Record<string, unknown> {
  return {
    ...boxJson(box),
    processes: processes.map((
      { pid, pidInBox, parentPid, name, state, threads, memory, descriptors, cpuTimeMs },
    ) => ({
      pid,
      pidInBox,
      parentPid,
      name,
      state,
      threads,
      cpuTimeMs,
      memory,
      descriptors,
    })),
    processCount: box.processes.length,
  };
}

/** Whose numbers JSON cannot hold. */
function withoutCrash(outcome: Outcome): unknown {
  return JSON.parse(JSON.stringify(outcome, (key, value) => key === "crash" ? undefined : value));
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function orDash<Value>(value: Value | undefined, write: (value: Value) => string): string {
  return value === undefined ? "-" : write(value);
}

/** The time of the day. */
function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19) + "Z";
}

/** Writes arguments as a shell would read them; nothing in them can control a terminal. */
function commandText(command: readonly string[]): string {
  return command.map((argument) =>
    visibleText(
      /^[\w./:=+,@%-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`,
    )
  ).join(" ");
}

function limitsText(limits: Limits): string {
  const { cpuTimeMs, wallTimeMs, addressSpaceKib, controlGroupMemoryKib, processes = 1 } = limits;
  return [
    ...cpuTimeMs ? [`cpu ${timeText(cpuTimeMs)}`] : [],
    ...wallTimeMs ? [`wall ${timeText(wallTimeMs)}`] : [],
    ...addressSpaceKib ? [`mem ${sizeText(addressSpaceKib)}`] : [],
    ...controlGroupMemoryKib ? [`cg-mem ${sizeText(controlGroupMemoryKib)}`] : [],
    `processes ${processes}`,
  ].join(", ");
}
