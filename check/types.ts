/** What a check of the machine is, and what it finds. */

import type { Machine } from "./machine.ts";

/**
 * How something is: fine; worth a look, as it may matter; wrong, so that limits do not hold or results
 * vary from run to run; or unknown here.
 */
export type CheckVerdict = "pass" | "caution" | "fail" | "skip";

/** What would fix something. */
export type Repair =
  /** A value for a file of the kernel. */
  | { readonly kind: "write"; readonly path: string; readonly value: string }
  /** A command for the shell; a comment (`# …`) is for people only. */
  | { readonly kind: "command"; readonly command: string };

/** What a check has found. */
export interface Finding {
  readonly verdict: CheckVerdict;
  /** One line for people, without a final period. */
  readonly text: string;
  /** What would fix it, in order. */
  readonly repairs?: readonly Repair[];
}

export interface Check {
  /** A stable word for it, such as `turbo`. */
  readonly name: string;
  readonly examine: (machine: Machine) => Finding;
}

/** Says that something is fine. */
export function pass(text: string): Finding {
  return { verdict: "pass", text };
}

/** Says that something is unknown, or does not exist here. */
export function skip(text: string): Finding {
  return { verdict: "skip", text };
}

/** Says that something is wrong. */
export function fail(text: string, ...repairs: Repair[]): Finding {
  return { verdict: "fail", text, repairs };
}

/** Says that something may matter. */
export function caution(text: string, ...repairs: Repair[]): Finding {
  return { verdict: "caution", text, repairs };
}

/** Makes a repair that writes a file. */
export function write(path: string, value: string): Repair {
  return { kind: "write", path, value };
}

/** Makes a repair that is a command. */
export function command(text: string): Repair {
  return { kind: "command", command: text };
}

/** Writes a repair as a line for the shell. */
export function shellLine(repair: Repair): string {
  return repair.kind === "write" ? `echo ${repair.value} > ${repair.path}` : repair.command;
}
