/** The tests and groups of a problem as a tree, in which each knows its place. */

import type { TestCase, TestGroup } from "../types.ts";
import type { Grade } from "./aggregate.ts";

/** A test in its place. */
export interface PlannedTest {
  /** The index among all tests, from 0. */
  readonly index: number;
  readonly test: TestCase;
  /** The innermost group that has the test. */
  readonly group: TestGroup;
}

/** A group in its place. */
export interface Node {
  readonly group: TestGroup;
  readonly parent: Node | undefined;
  readonly members: (Node | Leaf)[];
  /** Its tests are those from `from` up to, but without, `to`. */
  readonly from: number;
  to: number;
  /** Its tests from here on are not needed any more. */
  cut: number;
  /** The group that this one requires and that is not accepted: none of its tests counts. */
  blockedBy: Node | undefined;
  /** Whether a program grades it or a group in it: its verdict is known only at the end. */
  readonly isOpen: boolean;
  /** What the program has said. */
  graded: Grade | undefined;
}

/** A test in its place, below its group. */
export interface Leaf extends PlannedTest {
  readonly parent: Node;
}

/** Builds the tree, and collects its tests in order. */
export function build(
  group: TestGroup,
  { parent, leaves }: { parent: Node | undefined; leaves: Leaf[] },
): Node {
  const from = leaves.length;
  const node: Node = {
    group,
    parent,
    members: [],
    from,
    to: from,
    cut: Infinity,
    blockedBy: undefined,
    isOpen: isOpen(group),
    graded: undefined,
  };
  for (const member of group.members) {
    if (member.kind === "group") {
      node.members.push(build(member.group, { parent: node, leaves }));
    } else {
      const leaf = { index: leaves.length, test: member.test, group, parent: node };
      leaves.push(leaf);
      node.members.push(leaf);
    }
  }
  node.to = leaves.length;
  return node;
}

/** Lists the groups below a group, each before those in it. */
export function descendants(node: Node): Node[] {
  return node.members.flatMap((member) =>
    "members" in member ? [member, ...descendants(member)] : []
  );
}

function isOpen({ grading, members }: TestGroup): boolean {
  return grading.graderFlags !== undefined ||
    members.some((member) => member.kind === "group" && isOpen(member.group));
}
