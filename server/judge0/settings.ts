/** What the administrator can set of the Judge0 dialect, under the names that it has there. */

import { ExpectedError } from "../../text/errors.ts";
import { nearest } from "../../text/suggest.ts";

/** A limit that a submission may set. */
export interface LimitRule {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

/** Limits by their names in a submission: seconds, kilobytes, numbers. */
export type LimitName =
  | "number_of_runs"
  | "cpu_time_limit"
  | "cpu_extra_time"
  | "wall_time_limit"
  | "memory_limit"
  | "stack_limit"
  | "max_processes_and_or_threads"
  | "max_file_size";

/** How the dialect is set up. */
export interface Judge0Settings {
  readonly limits: Readonly<Record<LimitName, LimitRule>>;
  /** The size of all additional files of a submission, unpacked, in kilobytes. */
  readonly maxExtractSizeKb: number;
  readonly maxBatchSize: number;
  /** Whether programs may use the network, if their submission says so. */
  readonly allowNetwork: boolean;
  /** Whether who is authorised may delete submissions. */
  readonly allowDelete: boolean;
}

const LIMITS: Readonly<Record<LimitName, LimitRule>> = {
  number_of_runs: { default: 1, min: 1, max: 20, isWhole: true },
  cpu_time_limit: { default: 5, min: 0, max: 15, isWhole: false },
  cpu_extra_time: { default: 1, min: 0, max: 5, isWhole: false },
  wall_time_limit: { default: 10, min: 1, max: 20, isWhole: false },
  memory_limit: { default: 128_000, min: 2048, max: 512_000, isWhole: false },
  stack_limit: { default: 64_000, min: 0, max: 128_000, isWhole: true },
  max_processes_and_or_threads: { default: 60, min: 1, max: 120, isWhole: true },
  max_file_size: { default: 1024, min: 0, max: 4096, isWhole: true },
};

const OTHERS = { max_extract_size: "maxExtractSizeKb", max_submission_batch_size: "maxBatchSize" };

/** The names of all limits. */
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** All that can be set as `NAME=VALUE`. */
export const SETTING_NAMES: readonly string[] = [
  ...LIMIT_NAMES,
  ...LIMIT_NAMES.map((name) => `max_${name}`),
  ...Object.keys(OTHERS),
];

/**
 * Reads what the administrator has set: `cpu_time_limit=2,max_cpu_time_limit=60`.
 *
 * @throws {ExpectedError} if a part is not of this form, or a default is above its maximum
 */
export function readSettings(
  list: string,
  allow: Pick<Judge0Settings, "allowNetwork" | "allowDelete">,
): Judge0Settings {
  const given = new Map(
    list.split(",").map((part) => part.trim()).filter((part) => part !== "")
      .map(readSetting),
  );
  const limits = LIMIT_NAMES.map((name) => {
    const { default: byDefault, max, ...rule } = LIMITS[name];
    const limit = {
      ...rule,
      default: given.get(name) ?? Math.min(byDefault, given.get(`max_${name}`) ?? max),
      max: given.get(`max_${name}`) ?? Math.max(max, given.get(name) ?? 0),
    };
    if (limit.default >= rule.min && limit.default <= limit.max) return [name, limit];
    throw new ExpectedError(
      `${name} of Judge0 must be between ${rule.min} and max_${name}, ${limit.max}: ` +
        `it is ${limit.default}`,
    );
  });
  return {
    limits: Object.fromEntries(limits),
    maxExtractSizeKb: given.get("max_extract_size") ?? 10_240,
    maxBatchSize: given.get("max_submission_batch_size") ?? 20,
    ...allow,
  };
}

function readSetting(part: string): [name: string, value: number] {
  const [, name = part, value = ""] = /^([^=]*)=(.*)$/.exec(part) ?? [];
  const key = name.toLowerCase();
  if (!SETTING_NAMES.includes(key)) {
    const meant = nearest(key, SETTING_NAMES);
    const hint = meant === undefined ? `known: ${SETTING_NAMES.join(", ")}` : `meant: ${meant}?`;
    throw new ExpectedError(`Judge0 has no setting ${JSON.stringify(name)} (${hint})`);
  }
  if (/^\d{1,9}(\.\d{1,6})?$/.test(value)) return [key, Number(value)];
  throw new ExpectedError(`${name} of Judge0 needs a number, as in ${name}=10`);
}
