/**
 * Kinds of boxes: what a stage can make for all boxes alike, and what it leaves to each of them. What
 * belongs to one box (its files, its new file systems) is mounted last, so that one stage serves them all.
 */

import type { BoxSetup } from "./init.ts";
import { isInBox, type PlacedRule } from "./sources.ts";
import type { DirectoryRule } from "./directory_rules.ts";

/** So many mounts of one box fit into a message to a stage; see NEXT_FDS_MAX in shim/run.c. */
const OWN_MOUNTS_MAX = 8;

/** What a box is like. */
export interface BoxKind {
  /** Names all boxes that are made of the same. */
  readonly key: string;
  /** Names all boxes that one stage can make; undefined: none can. */
  readonly stageKey: string | undefined;
  /** For each rule, whether a stage leaves its mount to the box. */
  readonly deferred: readonly boolean[];
}

/** Says of which kind a box is. */
export function boxKind({ rules, ...setup }: BoxSetup): BoxKind {
  const deferred = deferredRules(rules);
  const rest = JSON.stringify(setup);
  let [key, stageKey] = [rest, rest];
  rules.forEach(({ rule, source }, i) => {
    const text = textOf(rule);
    key += `${text}${source?.identity}`;
    stageKey += `${text}${deferred[i] ? source?.isDirectory : source?.identity}`;
  });
  return { key, stageKey: canStage(rules, deferred) ? stageKey : undefined, deferred };
}

const texts = new WeakMap<DirectoryRule, string>();

/** Where rules are opened again they are the same objects, which never change. */
function textOf(rule: DirectoryRule): string {
  let text = texts.get(rule);
  if (text !== undefined) return text;
  text = JSON.stringify(rule);
  if (Object.isFrozen(rule)) texts.set(rule, text);
  return text;
}

/** Says which mounts can come last: those in which a stage mounts nothing. */
export function deferredRules(rules: readonly PlacedRule[]): boolean[] {
  const isOwn = ({ rule, source }: PlacedRule) =>
    source !== undefined && (rule.kind === "temporary" || rule.kind === "bind" && isInBox(rule));
  const areFew = rules.filter(isOwn).length <= OWN_MOUNTS_MAX;
  const deferred = rules.map(() => false);
  for (let i = rules.length - 1; i >= 0; i--) {
    const placed = rules[i]!;
    const { kind, inside } = placed.rule;
    if (kind !== "filesystem" && !(areFew && isOwn(placed))) continue;
    deferred[i] = rules.every(({ rule }, k) =>
      k <= i || deferred[k] || rule.inside !== inside && !rule.inside.startsWith(`${inside}/`)
    );
  }
  return deferred;
}

function canStage(rules: readonly PlacedRule[], deferred: readonly boolean[]): boolean {
  // A mount that a caller has cloned can be put into one box, not into a stage as well.
  return rules.every(({ rule, source }, i) =>
    !source?.isClone && (rule.kind !== "filesystem" || deferred[i])
  );
}
