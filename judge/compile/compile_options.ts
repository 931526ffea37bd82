/** How programs are compiled, and what comes of it. */

import type { Capture, HostFiles, Outcome, Sandbox, SandboxError } from "../../mod.ts";
import type { JudgeBox } from "../boxes.ts";
import type { Language } from "../languages/language_table.ts";
import type { CompileResult, SourceFile } from "../types.ts";
import type { Program } from "./program.ts";

/** What a compiler may use. */
export interface CompileLimits {
  /** CPU time in milliseconds. */
  readonly timeMs: number;
  /** Wall time in milliseconds. Default: twice the CPU time and five seconds. */
  readonly wallTimeMs?: number | undefined;
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Size of all sources in KiB. */
  readonly codeKib: number;
  /** Processes and threads. Default: as the table of languages says. */
  readonly processes?: number | undefined;
  /** Open files of each process. Default: 1024. */
  readonly openFiles?: number | undefined;
  /** Size of each file that it writes in KiB. Default: 256 MiB. */
  readonly fileSizeKib?: number | undefined;
}

/** Where the output of a compiler goes. */
export interface CompilerStreams {
  /** Standard output. */
  readonly stdout: Capture;
  /** Standard error. */
  readonly stderr: Capture;
}

/** How a program is compiled. */
export interface CompileOptions {
  /** Its language. */
  readonly language: Language;
  /** Files that are put over those of the program; the last one of a name counts. Default: none. */
  readonly included?: readonly SourceFile[] | undefined;
  /** The main file or class, if its language has one; undefined: found by names. */
  readonly entrypoint?: string | undefined;
  /** More arguments of the compiler, behind those of the table. Default: none. */
  readonly args?: readonly string[] | undefined;
  /** A box that nobody else uses meanwhile; its content is lost. */
  readonly box: JudgeBox;
  /** The CPU on which the compiler runs; undefined: any. */
  readonly cpu?: number | undefined;
  /** What the compiler may use. */
  readonly limits: CompileLimits;
  /** Where its output goes; default: the beginning is kept, both streams together. */
  readonly streams?: CompilerStreams | undefined;
  /** Interrupts the compiler. */
  readonly signal?: AbortSignal | undefined;
}

/** A compiled program, or why there is none. */
export interface Compiled {
  /** What the compiler did, for people and reports. */
  readonly result: CompileResult;
  /** The program; undefined if there is none. */
  readonly program: Program | undefined;
  /** There is none, and the source is not to blame. */
  readonly judgeError?: true;
  /** What failed in the sandbox, if that was to blame; its message can name files of the host. */
  readonly fault?: SandboxError | undefined;
  /** How the compiler ended; undefined if it was not run. */
  readonly outcome?: Outcome | undefined;
  /**
   * Says that nobody runs the program any more: it may then be removed when other programs need the
   * room. Undefined: it stays anyway.
   */
  readonly release?: (() => void) | undefined;
}

/** Where compilers work and programs are kept. */
export interface CompilerOptions {
  /** The sandbox. */
  readonly sandbox: Sandbox;
  /** The files of the host. */
  readonly host: HostFiles;
  /** Where programs are kept; undefined: only as long as this compiler exists. */
  readonly cacheDirectory?: string | undefined;
  /**
   * Where languages are kept that had to be prepared, which takes long; undefined: where programs are.
   */
  readonly preparedDirectory?: string | undefined;
  /**
   * The size of all programs, in bytes, beyond which those are removed that were not used for longest:
   * at the end, or where they are kept only as long as this compiler exists, at any time but not before
   * they are released. Default: 1 GiB.
   */
  readonly cacheLimitBytes?: number | undefined;
}
