import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
} from "../../ffi/linux.ts";
import { Plan, Slot } from "../../ffi/plan.ts";
import { allSteps, operationsOf, stepsOf, structOf, textOf } from "../../tests/support/plans.ts";
import { type DirectoryRule, parseDirectoryRule } from "./directory_rules.ts";
import { planClones, planRoot } from "./mounts.ts";
import type { PlacedRule } from "./sources.ts";

/** A rule with a source that is opened only in name. */
function placed(text: string, options: { file?: boolean } = {}): PlacedRule {
  const rule = parseDirectoryRule(text) as DirectoryRule;
  const source = {
    fd: 99,
    path: "/somewhere",
    isClone: false,
    isDirectory: !options.file,
    identity: "",
  };
  return { rule, source: rule.kind === "filesystem" ? undefined : source };
}

/** The attributes that a rule's mount and all mounts below it get. */
function cloneAttributes(text: string): { attributes: number; propagation: bigint } {
  const plan = new Plan();
  planClones(plan, [placed(text)]);
  const [step] = stepsOf(plan, "mount_setattr");
  assertEquals(step!.args[2], AT_RECURSIVE | AT_EMPTY_PATH, "submounts too");
  const view = structOf(plan, step!, 3);
  assertEquals(view.getBigUint64(8, true), 0n, "nothing is taken back");
  return {
    attributes: Number(view.getBigUint64(0, true)),
    propagation: view.getBigUint64(16, true),
  };
}

for (
  const [text, attributes] of [
    ["usr", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV],
    ["usr:rw", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV],
    ["usr:noexec", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC],
    ["dev:dev", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID],
    ["tmp:tmp", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV],
    ["tmp:tmp:noexec", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC],
  ] as const
) {
  Deno.test(`planClones() restricts what ${text} binds, private, submounts too`, () => {
    assertEquals(cloneAttributes(text), { attributes, propagation: BigInt(MS_PRIVATE) });
  });
}

Deno.test("planClones() takes submounts unless the rule says norec", () => {
  const recursive = (text: string) => {
    const plan = new Plan();
    planClones(plan, [placed(text)]);
    return ((stepsOf(plan, "open_tree")[0]!.args[2] as number) & AT_RECURSIVE) !== 0;
  };
  assertEquals(["usr", "usr:norec", "tmp:tmp"].map(recursive), [true, false, false]);
});

Deno.test("planClones() gives a slot for each rule with a source", () => {
  const plan = new Plan();
  const slots = planClones(plan, [placed("usr"), placed("proc=proc:fs"), placed("bin")]);
  assertEquals(slots.map((slot) => slot instanceof Slot), [true, false, true]);
});

function rootPlan(rules: readonly PlacedRule[]): Plan {
  const plan = new Plan();
  planRoot(plan, rules, {
    mounts: rules.map(({ source }, i) => source && 100 + i),
  });
  return plan;
}

Deno.test("planRoot() makes the whole tree private before anything else", () => {
  const plan = rootPlan([placed("usr")]);
  const [first] = plan.steps;
  assertEquals([first!.operation, textOf(first!, 1)], ["mount_setattr", "/"]);
  assertEquals(first!.args[2], AT_RECURSIVE);
  assertEquals(structOf(plan, first!, 3).getBigUint64(16, true), BigInt(MS_PRIVATE));
});

Deno.test("planRoot() makes all mount points before it mounts anything on them", () => {
  const plan = rootPlan([
    placed("box=./box:rw"),
    placed("dev:dev:norec"),
    placed("dev/shm=tmpfs:fs:rw"),
    placed("etc/alternatives"),
    placed("etc/passwd", { file: true }),
  ]);
  const made = allSteps(plan).filter((step) => ["mkdirat", "mknodat"].includes(step.operation));
  assertEquals(made.map((step) => [step.operation, textOf(step, 1)]), [
    ["mkdirat", "root"],
    ["mkdirat", "box"],
    ["mkdirat", "dev"],
    ["mkdirat", "dev/shm"],
    ["mkdirat", "etc"],
    ["mkdirat", "etc/alternatives"],
    ["mknodat", "etc/passwd"],
  ]);
  const operations = allSteps(plan).map((step) => step.operation);
  assert(operations.lastIndexOf("mknodat") < operations.indexOf("move_mount"));
});

Deno.test("planRoot() looks for mount points inside the box only, without links", () => {
  const plan = rootPlan([placed("usr"), placed("usr/local/x=/opt")]);
  const opened = stepsOf(plan, "openat2");
  assertEquals(opened.map((step) => textOf(step, 1)), ["usr", "usr/local/x"]);
  const [RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH] = [2, 4, 8];
  for (const step of opened) {
    const resolve = Number(structOf(plan, step, 2).getBigUint64(16, true));
    assertEquals(resolve, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
  }
});

Deno.test("planRoot() enters the new root in the end, and the old one is gone", () => {
  const operations = operationsOf(rootPlan([placed("usr")]));
  const end = operations.slice(operations.lastIndexOf("close") + 1);
  assertEquals(end, ["mount_setattr", "fchdir", "pivot_root", "umount2", "fchdir", "chroot"]);
});

Deno.test("planRoot() makes the root itself read-only at the end", () => {
  const plan = rootPlan([]);
  const last = stepsOf(plan, "mount_setattr").slice(-2);
  const attributes = last.map((step) => Number(structOf(plan, step, 3).getBigUint64(0, true)));
  assertEquals(attributes, [MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY]);
});

/** The parameters of a new file system, and the attributes of its mount. */
function newFilesystem(text: string): { settings: string[]; attributes: number } {
  const plan = rootPlan([placed(text)]);
  const own = allSteps(plan).filter((step) => step.reason.startsWith("directory rule"));
  const settings = own.filter((step) => step.operation === "fsconfig")
    .flatMap((step) => textOf(step, 2) ? [`${textOf(step, 2)}=${textOf(step, 3)}`] : []);
  const [mount] = own.filter((step) => step.operation === "fsmount");
  return { settings, attributes: mount!.args[2] as number };
}

Deno.test("planRoot() mounts new file systems with the rule's restrictions", () => {
  const strict = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  assertEquals(newFilesystem("proc=proc:fs"), { settings: ["hidepid=2"], attributes: strict });
  assertEquals(newFilesystem("other=proc:fs"), { settings: [], attributes: strict });
  assertEquals(newFilesystem("dev/shm=tmpfs:fs:rw"), {
    settings: [],
    attributes: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
  });
  assertEquals(newFilesystem("sys=sysfs:fs:noexec").attributes, strict | MOUNT_ATTR_NOEXEC);
});

Deno.test("planRoot() names the rule behind each of its steps", () => {
  const reasons = new Set(
    allSteps(rootPlan([placed("usr"), placed("opt:maybe")])).map((s) => s.reason),
  );
  assertEquals([...reasons], [
    "the root of the box",
    "directory rule 'usr'",
    "directory rule 'opt:maybe'",
  ]);
});

Deno.test("planRoot() tells people what is wrong with a mount point", () => {
  const [step] = stepsOf(rootPlan([placed("tmp/data=/srv")]), "openat2");
  assertStringIncludes(step!.options.what!, "mount point /tmp/data");
});
