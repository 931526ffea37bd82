/** Where a client's process is: its namespaces and its root, compared with ours. */

import * as linux from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import type { System } from "../ffi/system.ts";
import { readFile } from "../host/read.ts";
import { decodeOsString } from "../text/os_string.ts";

/** What of a client's surroundings differs from those of the service. */
export interface ClientSurroundings {
  /** It is in another user namespace, where its user ids mean other users. */
  readonly hasOwnUsers: boolean;
  /** It is in another mount namespace. */
  readonly hasOwnMounts: boolean;
  /** Its paths begin in another directory, or in another mount namespace. */
  readonly hasOwnRoot: boolean;
}

/** Those of somebody of whom nothing is known. */
export const ELSEWHERE: ClientSurroundings = {
  hasOwnUsers: true,
  hasOwnMounts: true,
  hasOwnRoot: true,
};

const LINK_BYTES = 4096;
const PATH_BYTES = 64;
const SLASH = 0x2f;
const encoder = new TextEncoder();
const NAMES = ["ns/user", "ns/mnt", "root"] as const;

/** Steps that look at a process: at which one is put into the encoded plan before each execution. */
export interface PeerLook {
  readonly put: (pid: number | "self") => void;
  readonly read: () => string[];
}

/** Adds steps that look at a process. One that changes afterwards gets what those get who did not. */
export function planLook(plan: Plan): PeerLook {
  const links = NAMES.map((name) => {
    const [path, text, length] = [
      plan.alloc(PATH_BYTES),
      plan.alloc(LINK_BYTES),
      plan.slot("length"),
    ];
    plan.step("readlinkat", [linux.AT_FDCWD, path, text, LINK_BYTES], {
      into: length,
      ignore: "all",
    });
    return { name, path, text, length };
  });
  return {
    put: (pid) => {
      for (const { name, path } of links) {
        encoder.encodeInto(`/proc/${pid}/${name}\0`, plan.content(path));
      }
    },
    read: () =>
      links.map(({ text, length }) => {
        const bytes = plan.content(text, Math.max(0, plan.result(length)));
        // Most are like ours, and short.
        return bytes.length === 1 && bytes[0] === SLASH ? "/" : decodeOsString(bytes.slice());
      }),
  };
}

/** Ours stay as they are. */
const ours = new WeakMap<System, string[]>();

function look(system: System): string[] {
  const plan = new Plan();
  const { put, read } = planLook(plan);
  const execute = system.prepare(plan, "where the service is");
  put("self");
  execute();
  return read();
}

/** Compares what {@linkcode planLook} found. */
export function compareSurroundings(system: System, theirs: readonly string[]): ClientSurroundings {
  let own = ours.get(system);
  if (!own) ours.set(system, own = look(system));
  const [hasOwnUsers, hasOwnMounts, hasOtherRoot] = own.map((text, i) => theirs[i] !== text) as [
    boolean,
    boolean,
    boolean,
  ];
  return { hasOwnUsers, hasOwnMounts, hasOwnRoot: hasOwnMounts || hasOtherRoot };
}

/** Mounts of a process so far as they lie below some paths of its; undefined: there are too many to tell. */
export function mountsBelow(
  system: System,
  pid: number | "self",
  paths: readonly string[],
): string | undefined {
  try {
    const file = readFile(system, `/proc/${pid}/mountinfo`);
    const lines = file ? decodeOsString(file.bytes).split("\n") : [];
    return lines.flatMap((line) => {
      const [, , device, root, place] = line.split(" ");
      const isBelow = place && paths.some((path) => place.startsWith(`${path}/`));
      return isBelow ? [`${place} ${device} ${root}`] : [];
    }).sort().join("\n");
  } catch {
    return undefined;
  }
}
