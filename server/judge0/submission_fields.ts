/** What is answered about a submission: each field by its name, as texts or in base64. */

import type { Bytes } from "../engine/types.ts";
import { type Attributes, decimal } from "./attributes.ts";
import type { Findings } from "./job.ts";
import { LIMIT_NAMES } from "./settings.ts";
import { statusOf } from "./statuses.ts";

/** A submission, and what is known of it. */
export interface StoredSubmission {
  readonly token: string;
  readonly attributes: Attributes;
  readonly findings: Findings;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | undefined;
}

/** What is answered where a client names no fields. */
export const DEFAULT_FIELDS = [
  ...["stdout", "time", "memory", "stderr", "token", "compile_output", "message", "status"],
];

/** Fields whose values are not those of the same name. */
const MADE: Readonly<
  Record<string, (submission: StoredSubmission, names: LanguageNames) => unknown>
> = {
  token: ({ token }) => token,
  status: ({ findings }) => statusOf(findings.status_id),
  language: ({ attributes: { language_id: id } }, names) => ({ id, name: names(id) }),
  created_at: ({ createdAtMs }) => isoTime(createdAtMs),
  finished_at: ({ finishedAtMs }) => isoTime(finishedAtMs),
  // Decimal numbers are texts there.
  cpu_time_limit: ({ attributes }) => decimal(attributes.cpu_time_limit),
  cpu_extra_time: ({ attributes }) => decimal(attributes.cpu_extra_time),
  wall_time_limit: ({ attributes }) => decimal(attributes.wall_time_limit),
};

const FINDINGS = [
  ...["stdout", "status_id", "time", "wall_time", "memory", "stderr", "compile_output"],
  ...["exit_code", "exit_signal", "message"],
];

const ATTRIBUTES = [
  ...["source_code", "language_id", "stdin", "expected_output", ...LIMIT_NAMES],
  ...["enable_per_process_and_thread_time_limit", "enable_per_process_and_thread_memory_limit"],
  ...["compiler_options", "command_line_arguments", "redirect_stderr_to_stdout", "callback_url"],
  ...["additional_files", "enable_network"],
];

/** All fields that a client can name. */
export const ALL_FIELDS: readonly string[] = [
  ...new Set([...ATTRIBUTES, ...FINDINGS, ...Object.keys(MADE)]),
];

/** Finds the name of a language. */
export type LanguageNames = (id: number) => string;

/** A text cannot be answered without base64. */
export class NotUtf8Error extends Error {}

/**
 * Reads the list of fields that a client names: `stdout,time`, or `*` for all.
 *
 * @returns the fields, or the names that are none
 */
export function readFields(text: string): { fields: readonly string[] } | { unknown: string[] } {
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.length === 0) return { fields: DEFAULT_FIELDS };
  if (names.includes("*")) return { fields: ALL_FIELDS };
  const unknown = names.filter((name) => !ALL_FIELDS.includes(name));
  return unknown.length > 0 ? { unknown } : { fields: [...new Set(names)] };
}

/**
 * Writes fields of a submission.
 *
 * @throws {NotUtf8Error} if a text is not UTF-8 and base64 is not wanted
 */
export function writeFields(
  submission: StoredSubmission,
  { fields, isBase64, names }: {
    fields: readonly string[];
    isBase64: boolean;
    names: LanguageNames;
  },
): Record<string, unknown> {
  const all: Readonly<Record<string, unknown>> = {
    ...submission.attributes,
    ...submission.findings,
  };
  const entries = fields.map((field) => {
    const made = MADE[field];
    const value = made ? made(submission, names) : all[field];
    if (!(value instanceof Uint8Array)) return [field, value];
    const bytes = value as Bytes;
    return [field, isBase64 || field === "additional_files" ? bytes.toBase64() : utf8(bytes)];
  });
  return Object.fromEntries(entries);
}

function utf8(bytes: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotUtf8Error();
  }
}

function isoTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
