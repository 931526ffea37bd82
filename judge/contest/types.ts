/** The data of contests: folders of several packages, and what judging them gives. */

import type { JudgeReport } from "../types.ts";

/** A package of a contest. */
export interface ContestPackage {
  /** Its path in the contest's folder. */
  readonly name: string;
  /** Its letter in the contest; undefined: none. */
  readonly label?: string | undefined;
  /** The folder or archive, absolute. */
  readonly path: string;
}

/** A contest, as read from its folder. */
export interface Contest {
  /** The absolute path of the folder on the host. */
  readonly directory: string;
  /** The name of the folder. */
  readonly name: string;
  /** The packages in the order of the contest; at least one. */
  readonly packages: readonly ContestPackage[];
}

/** The result of one package of a contest. */
export interface ContestResult {
  /** Its path in the contest's folder. */
  readonly name: string;
  /** Its letter in the contest; undefined: none. */
  readonly label?: string | undefined;
  /** What judging it gave; undefined: it could not be judged. */
  readonly report?: JudgeReport | undefined;
  /** Why it could not be judged, one sentence. */
  readonly failure?: string | undefined;
}

/** The report of judging a contest. */
export interface ContestReport {
  /** The name of the contest's folder. */
  readonly contest: string;
  /** The packages that were judged, in the order of the contest. */
  readonly problems: readonly ContestResult[];
  /** Packages that were not judged, as nothing has changed in them. */
  readonly unchanged: readonly string[];
  /** Whether judging was interrupted: packages are missing, or have partial results. */
  readonly interrupted: boolean;
  /** The time of the start, ISO 8601. */
  readonly startedAt: string;
  /** The duration in milliseconds. */
  readonly durationMs: number;
}
