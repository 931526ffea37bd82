/** What a check of the machine is, and what it finds. */

import type { Machine } from "./machine.ts";

/**
 * How something is: fine; worth a look, since it may or may not matter; wrong, so that limits do
 * not hold or results are not the same from run to run; or not to be found out here.
 */
export type Verdict = "pass" | "caution" | "fail" | "skip";

/** What would put something right. */
export type Repair =
  /** A value for a file of the kernel. */
  | { readonly kind: "write"; readonly path: string; readonly value: string }
  /** A command for the shell; a comment (`# …`) is for people only. */
  | { readonly kind: "command"; readonly command: string };

/** What a check has found. */
export interface Finding {
  /** How it is. */
  readonly verdict: Verdict;
  /** One line for people, without a final period. */
  readonly text: string;
  /** What would put it right, in order; nothing where it is fine or nobody can. */
  readonly repairs?: readonly Repair[];
}

/** One check. */
export interface Check {
  /** A word for it that stays the same, such as `turbo`. */
  readonly name: string;
  /** Looks at the machine. */
  readonly examine: (machine: Machine) => Finding;
}

/** The shortest way to say that something is fine. */
export function pass(text: string): Finding {
  return { verdict: "pass", text };
}

/** Says that something cannot be found out, or does not exist here. */
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

/** A repair that writes a file. */
export function write(path: string, value: string): Repair {
  return { kind: "write", path, value };
}

/** A repair that is a command. */
export function command(text: string): Repair {
  return { kind: "command", command: text };
}

/** Writes a repair as a line for the shell. */
export function shellLine(repair: Repair): string {
  return repair.kind === "write" ? `echo ${repair.value} > ${repair.path}` : repair.command;
}
