/** Directory rules with what they bind, found and opened. */

import { describeDirectoryRule, type DirectoryRule } from "./directory_rules.ts";

/** What a rule binds, found and opened. */
export interface Source {
  /** An O_PATH descriptor of it. */
  readonly fd: number;
  /** Its path on the host, for messages. */
  readonly path: string;
  /** Whether it is a directory; anything else is bound on a file. */
  readonly isDirectory: boolean;
}

/** A directory rule with what the keeper has found out about its source. */
export interface PlacedRule {
  /** The rule. */
  readonly rule: DirectoryRule;
  /** The source of a bind or temporary rule, opened. */
  readonly source: Source | undefined;
}

/** Names a rule in messages. */
export function ruleName(rule: DirectoryRule): string {
  return `directory rule '${describeDirectoryRule(rule)}'`;
}
