/** What the table of languages says of one of them. */

import { ExpectedError } from "../../text/errors.ts";

/** A command that a language needs, by the name that the table gives it. */
export interface ToolDefinition {
  /** What can serve, the best first: names for PATH, or paths. */
  readonly commands: readonly string[];
  /** Whether the file needs nothing of the installation around it. */
  readonly alone: boolean;
}

/** Something that is done in a box: preparing, compiling or running. */
export interface StepDefinition {
  /** The words of the command. */
  readonly command: readonly string[];
  /** What carries the memory limit: `any`, or only a control group. */
  readonly memory: "any" | "control-group";
  /** Memory in MiB that the heap cannot have. */
  readonly overheadMib: number;
  /** How many processes and threads there can be. */
  readonly processes: number;
  /** How many where the address space of each carries the memory limit. */
  readonly processesAlone: number;
  /** Whether it may lock files, which the system call filter forbids otherwise. */
  readonly fileLocks: boolean;
  /** Variables for this step. */
  readonly environment: ReadonlyMap<string, string>;
}

/** A language of the table. Its words may hold placeholders such as `{main}`. */
export interface LanguageDefinition {
  /** Its key in the table. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Endings of files that are its source. */
  readonly extensions: readonly string[];
  /** Endings of files that are its source if their first line says so. */
  readonly extensionsWithShebang: readonly string[];
  /** Endings of files that belong to its programs but do not make one. */
  readonly companions: readonly string[];
  /** Names of interpreters in a first line `#!`. */
  readonly shebangs: readonly string[];
  /** Files that make a validator's folder one of this language. */
  readonly files: readonly string[];
  /** Names of the main file among several; `java`: by its text; `none`: there is no such file. */
  readonly main: readonly string[] | "java" | "none";
  /** The commands that it needs. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** The command that names the version. */
  readonly version: readonly string[];
  /** Patterns of other files and directories of the host that it needs. */
  readonly directories: readonly string[];
  /** Variables of all steps. */
  readonly environment: ReadonlyMap<string, string>;
  /** What is done once for each version of the tools. */
  readonly prepare: StepDefinition | undefined;
  /** How it is compiled; undefined: not at all. */
  readonly compile: StepDefinition | undefined;
  /** How it is run. */
  readonly run: StepDefinition;
  /** What the runtime writes on standard error when its heap is full. */
  readonly outOfMemory: readonly string[];
}

/** The language of a program is unknown, or the program does not fit it. */
export class LanguageError extends ExpectedError {
  /** Always `"LanguageError"`. */
  override readonly name = "LanguageError";
}

/** A placeholder in a word of a command; what stands in two braces is none. */
export const PLACEHOLDER = /(?<!\{)\{(\w+)\}(?!\})/g;
