/**
 * The processes of boxes, as /proc shows them. A box has a user of its own, and a namespace of
 * processes: that tells them from others, whoever started them.
 *
 * Nothing is read here that the process could make us wait for: no arguments, no memory (a page of them
 * can be one of a file system that never answers).
 */

import * as linux from "../../ffi/linux.ts";
import { Plan } from "../../ffi/plan.ts";
import type { System } from "../../ffi/system.ts";
import { readDirectory } from "../../host/list.ts";
import { decodeOsString } from "../../text/os_string.ts";

const STATUS_BYTES = 4096;
const LINK_BYTES = 256;
/** So many files are read in one plan, on another thread. */
const BATCH = 64;
const DESCRIPTORS_SHOWN = 64;
/** Of a process with more descriptors nobody counts them all. */
export const DESCRIPTORS_COUNTED = 1000;

/** A process of a box. A program in the box chose its name. */
export interface BoxProcess {
  /** Its number on the host. */
  readonly pid: number;
  readonly parentPid: number;
  /** Its number in the box: the program has 2. */
  readonly pidInBox: number;
  readonly uid: number;
  readonly name: string;
  /** The letter of proc_pid_stat(5). */
  readonly state: string;
  readonly threads: number;
  readonly memory: ProcessMemory;
}

/** What the memory of a process is made of, in KiB, as proc_pid_status(5) has it. */
export interface ProcessMemory {
  readonly virtualKib: number;
  readonly residentKib: number;
  readonly peakResidentKib: number;
  readonly anonymousKib: number;
  readonly filesKib: number;
  readonly sharedKib: number;
  readonly stackKib: number;
  readonly swappedKib: number;
}

/** Finds all processes of users from `first` to `last` that are in a namespace of processes of their own. */
export async function findProcesses(
  system: System,
  { first, last }: { first: number; last: number },
): Promise<BoxProcess[]> {
  const pids = listNumbers(system, "/proc");
  const texts = await readTogether(system, pids.map((pid) => `/proc/${pid}/status`), STATUS_BYTES);
  return texts.flatMap((text) => {
    const found = parseStatus(text);
    return found && found.uid >= first && found.uid <= last && found.pidInBox > 0 ? [found] : [];
  });
}

/** Reads what is known of one process; undefined if it is gone. */
export function readProcess(system: System, pid: number): BoxProcess | undefined {
  const plan = new Plan();
  const read = planRead(plan, `/proc/${pid}/status`, STATUS_BYTES);
  system.run(plan, "look at a process");
  return parseStatus(read());
}

/** Reads /proc/PID/status; `pidInBox` is 0 outside of boxes. */
export function parseStatus(text: string): BoxProcess | undefined {
  const fields = new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const number = (key: string) => parseInt(fields.get(key) ?? "0") || 0;
  if (!fields.has("Pid")) return undefined;
  const inNamespaces = (fields.get("NSpid") ?? "").split("\t");
  return {
    pid: number("Pid"),
    parentPid: number("PPid"),
    pidInBox: inNamespaces.length > 1 ? Number(inNamespaces.at(-1)) : 0,
    uid: number("Uid"),
    name: fields.get("Name") ?? "",
    state: (fields.get("State") ?? "?").slice(0, 1),
    threads: number("Threads"),
    memory: {
      virtualKib: number("VmSize"),
      residentKib: number("VmRSS"),
      peakResidentKib: number("VmHWM"),
      anonymousKib: number("RssAnon"),
      filesKib: number("RssFile"),
      sharedKib: number("RssShmem"),
      stackKib: number("VmStk"),
      swappedKib: number("VmSwap"),
    },
  };
}

/** The CPU time of processes in milliseconds, in hundredths of a second; see proc_pid_stat(5). */
export async function readCpuTimes(system: System, pids: readonly number[]): Promise<number[]> {
  const texts = await readTogether(system, pids.map((pid) => `/proc/${pid}/stat`), 1024);
  return texts.map((text) => {
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
  });
}

/** What a process has open. */
export interface OpenDescriptors {
  /** How many there are; more than {@linkcode DESCRIPTORS_COUNTED} are not counted. */
  readonly count: number;
  /** The first of them, with what they lead to. */
  readonly links: readonly { readonly fd: number; readonly target: string }[];
}

/** Looks at the open descriptors of a process. */
export async function readDescriptors(system: System, pid: number): Promise<OpenDescriptors> {
  const fds = listNumbers(system, `/proc/${pid}/fd`, DESCRIPTORS_COUNTED);
  const shown = fds.slice(0, DESCRIPTORS_SHOWN);
  const links = await together(system, shown, (plan, fd) => {
    const [target, length] = [plan.alloc(LINK_BYTES), plan.slot("length")];
    const path = plan.string(`/proc/${pid}/fd/${fd}`);
    plan.step("readlinkat", [linux.AT_FDCWD, path, target, LINK_BYTES], {
      into: length,
      ignore: "all",
    });
    return () => {
      const bytes = plan.content(target, Math.max(0, plan.result(length))).slice();
      return { fd, target: decodeOsString(bytes) };
    };
  });
  return { count: fds.length, links: links.filter(({ target }) => target !== "") };
}

/** The entries of a directory that are numbers; none if there is no such directory. */
export function listNumbers(system: System, path: string, max = Infinity): number[] {
  const plan = new Plan();
  const directory = plan.slot("directory");
  const flags = linux.O_DIRECTORY | linux.O_CLOEXEC;
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), flags, 0], {
    into: directory,
    ignore: "all",
  });
  system.run(plan, `list ${path}`);
  const fd = plan.result(directory);
  if (fd < 0) return [];
  try {
    const found: number[] = [];
    for (const entries of readDirectory(system, fd)) {
      for (const { name } of entries) {
        const number = numberOf(name);
        if (number !== undefined) found.push(number);
      }
      if (found.length >= max) break;
    }
    return found.sort((a, b) => a - b).slice(0, max);
  } catch {
    // A process that ends while it is looked at has no descriptors any more.
    return [];
  } finally {
    system.close(fd);
  }
}

/** Reads a name with its terminating NUL; undefined if that is not a number. */
function numberOf(name: Uint8Array): number | undefined {
  let number = 0;
  for (let i = 0; i < name.length - 1; i++) {
    const digit = name[i]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
  }
  return name.length > 1 ? number : undefined;
}

/** Does something small with many things, on another thread; `plan` gives what reads the result. */
export async function together<Item, Result>(
  system: System,
  items: readonly Item[],
  plan: (plan: Plan, item: Item) => () => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    const batch = new Plan();
    const reads = items.slice(at, at + BATCH).map((item) => plan(batch, item));
    await system.library.execAside(batch.encode());
    for (const read of reads) results.push(read());
  }
  return results;
}

/** Reads the beginning of small files; of one that is not there nothing. */
function readTogether(system: System, paths: readonly string[], bytes: number): Promise<string[]> {
  return together(system, paths, (plan, path) => planRead(plan, path, bytes));
}

function planRead(plan: Plan, path: string, bytes: number): () => string {
  const [fd, length, content] = [plan.slot("file"), plan.slot("length"), plan.alloc(bytes)];
  plan.step("openat", [linux.AT_FDCWD, plan.string(path), linux.O_CLOEXEC, 0], {
    into: fd,
    ignore: "all",
  });
  plan.step("read", [fd, content, bytes], { into: length, ignore: "all" });
  plan.step("close", [fd], { ignore: "all" });
  return () => decodeOsString(plan.content(content, Math.max(0, plan.result(length))).slice());
}
