import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { boxKind, deferredRules } from "./box_kind.ts";
import { type DirectoryRule, parseDirectoryRule } from "./directory_rules.ts";
import type { PlacedRule } from "./sources.ts";

/** Rules with sources that are opened only in name; `identity` tells those of boxes from each other. */
function placed(texts: readonly string[], identity = "first"): PlacedRule[] {
  return texts.map((text) => {
    const rule = parseDirectoryRule(text) as DirectoryRule;
    const isOwn = rule.kind === "temporary" || rule.kind === "bind" && rule.outside.startsWith(".");
    const source = {
      fd: 99,
      path: "/somewhere",
      isClone: false,
      isDirectory: true,
      identity: isOwn ? identity : rule.inside,
    };
    return { rule, source: rule.kind === "filesystem" ? undefined : source };
  });
}

const kindOf = (texts: readonly string[], identity?: string) =>
  boxKind({
    rules: placed(texts, identity),
    shareNetwork: false,
    terminal: false,
    controlGroup: false,
  });

const DEFAULTS = [
  ...["box=./box:rw", "bin", "dev:dev:norec", "dev/shm=tmpfs:fs:rw", "lib"],
  ...["proc=proc:fs", "tmp:tmp", "usr"],
];

Deno.test("deferredRules() leaves to a box its own files and its new file systems", () => {
  const deferred = deferredRules(placed(DEFAULTS));
  assertEquals(DEFAULTS.filter((_, i) => deferred[i]), [
    ...["box=./box:rw", "dev/shm=tmpfs:fs:rw", "proc=proc:fs", "tmp:tmp"],
  ]);
});

Deno.test("deferredRules() leaves nothing to a box in which a stage mounts something", () => {
  const deferred = (texts: readonly string[]) => deferredRules(placed(texts));
  assertEquals(deferred(["box=./box:rw", "box/data=/srv"]), [false, false]);
  assertEquals(deferred(["box=./box:rw", "box=/srv"]), [false, false]);
  assertEquals(deferred(["tmp:tmp", "tmp/own=./own", "tmp/own/usr=/usr"]), [false, false, false]);
  // These come last as well, or beside it.
  assertEquals(deferred(["box=./box:rw", "box/new=tmpfs:fs"]), [true, true]);
  assertEquals(deferred(["box=./box:rw", "boxes=/srv"]), [true, false]);
});

Deno.test("deferredRules() leaves no more to a box than fits into a message", () => {
  const few = Array.from({ length: 8 }, (_, i) => `d${i}:tmp`);
  assertEquals(deferredRules(placed(few)), few.map(() => true));
  assertEquals(deferredRules(placed([...few, "d8:tmp"])), [...few, ""].map(() => false));
});

Deno.test("boxKind() gives boxes one stage, whose own files alone differ", () => {
  const [first, second] = [kindOf(DEFAULTS), kindOf(DEFAULTS, "second")];
  assertNotEquals(first.key, second.key);
  assertEquals(first.stageKey, second.stageKey);
  const nested = [...DEFAULTS, "box/data=/srv"];
  assertNotEquals(kindOf(nested).stageKey, kindOf(nested, "second").stageKey);
  assertNotEquals(first.stageKey, kindOf([...DEFAULTS, "etc"]).stageKey);
});

Deno.test("boxKind() has no stage where something is mounted in a new file system", () => {
  assertEquals(kindOf(["t=tmpfs:fs", "t/usr=/usr"]).stageKey, undefined);
  assert(kindOf(["t=tmpfs:fs", "t/own:tmp"]).stageKey !== undefined);
});
