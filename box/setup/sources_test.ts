import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { System, SystemError } from "../../ffi/system.ts";
import { withFolder } from "../../tests/support/folder.ts";
import {
  defaultDirectoryRules,
  type DirectoryRule,
  parseDirectoryRule,
} from "./directory_rules.ts";
import { callerIdentity, type Identity } from "../../host/identity.ts";
import { closeSources, openSources, type PlacedRule, ruleName } from "./sources.ts";

const NOBODY: Identity = { uid: 65534, gid: 65534, groups: [] };

/** A box's directory with `box/` in it, and a sandbox that acts for a user. */
async function withBoxDirectory(
  test: (
    open: (rules: readonly string[]) => PlacedRule[],
    directory: string,
    system: System,
  ) => void,
  caller?: Identity,
): Promise<void> {
  await withFolder(async (folder) => {
    const system = await System.load();
    const own = callerIdentity(system);
    Deno.chmodSync(folder, 0o755);
    Deno.mkdirSync(`${folder}/box`);
    const boxUser = { uid: 61234, gid: 61235, groups: [] };
    const places = { boxId: 1, directory: folder, boxUser };
    const open = (texts: readonly string[]) => {
      const rules = texts.map((text) => parseDirectoryRule(text) as DirectoryRule);
      return openSources({ system, caller: caller ?? own, own }, { rules, places });
    };
    test(open, folder, system);
  });
}

function target({ source }: PlacedRule): string | undefined {
  return source && Deno.readLinkSync(`/proc/self/fd/${source.fd}`);
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("openSources() opens what rules bind, in their order, and closeSources() closes it", () =>
  withBoxDirectory((open, directory, system) => {
    const before = openDescriptors();
    const placed = open(["box=./box:rw", "usr", "proc=proc:fs", "etc/hosts=/etc/passwd"]);
    assertEquals(placed.map(target), [`${directory}/box`, "/usr", undefined, "/etc/passwd"]);
    assertEquals(placed.map(({ rule }) => rule.inside), ["box", "usr", "proc", "etc/hosts"]);
    const kinds = placed.map(({ source }) => source?.isDirectory);
    assertEquals(kinds, [true, true, undefined, false]);
    closeSources(system, placed);
    assertEquals(openDescriptors(), before);
  }));

Deno.test("openSources() leaves out a maybe rule whose source does not exist", () =>
  withBoxDirectory((open, _directory, system) => {
    const placed = open(["no=/no/such:maybe", "usr:maybe", "none=./none:maybe"]);
    assertEquals(placed.map(({ rule }) => rule.inside), ["usr"]);
    closeSources(system, placed);
  }));

Deno.test("openSources() names the rule and the path that cannot be opened, and leaves nothing open", () =>
  withBoxDirectory((open) => {
    const before = openDescriptors();
    const error = assertThrows(() => open(["usr", "data=/no/such/path"]), SystemError);
    assertEquals(error.code, "ENOENT");
    assertStringIncludes(error.message, "directory rule 'data=/no/such/path': ");
    assertStringIncludes(error.message, "cannot open /no/such/path");
    assertEquals(openDescriptors(), before);
  }));

Deno.test("openSources() reaches no further than the caller, not even to see what exists", () =>
  withBoxDirectory((open, directory) => {
    const closed = `${directory}/closed`;
    Deno.mkdirSync(closed);
    Deno.writeTextFileSync(`${closed}/there`, "");
    Deno.chmodSync(closed, 0o700);
    for (const name of ["there", "absent"]) {
      for (const option of ["", ":maybe"]) {
        const error = assertThrows(() => open([`data=${closed}/${name}${option}`]), SystemError);
        assertEquals(error.code, "EACCES", name + option);
      }
    }
  }, NOBODY));

Deno.test("openSources() follows no link of the box that leads out of it", () =>
  withBoxDirectory((open, directory, system) => {
    Deno.symlinkSync("/etc", `${directory}/box/absolute`);
    Deno.symlinkSync("../../..", `${directory}/box/relative`);
    Deno.mkdirSync(`${directory}/box/real`);
    Deno.symlinkSync("real", `${directory}/box/inner`);
    for (const name of ["absolute", "absolute/ssl", "relative"]) {
      const error = assertThrows(() => open([`data=./box/${name}`]), SystemError);
      assertEquals(error.code, "EXDEV", name);
    }
    const placed = open(["data=./box/inner"]);
    assertEquals(placed.map(target), [`${directory}/box/real`]);
    closeSources(system, placed);
  }));

Deno.test("openSources() makes the directory of a tmp rule for the box's user, once", () =>
  withBoxDirectory((open, directory, system) => {
    closeSources(system, open(["deep/er/tmp:tmp"]));
    const path = `${directory}/tmp/deep/er/tmp`;
    const { uid, gid, mode } = Deno.statSync(path);
    assertEquals([uid, gid, mode! & 0o7777], [61234, 61235, 0o700]);
    Deno.writeTextFileSync(`${path}/kept`, "");
    Deno.chownSync(path, 5, 6);
    const placed = open(["deep/er/tmp:tmp"]);
    assertEquals(placed.map(target), [path]);
    closeSources(system, placed);
    assertEquals(Deno.statSync(path).uid, 5);
    assert(Deno.statSync(`${path}/kept`).isFile);
  }));

Deno.test("openSources() does not take a link for the directory of a tmp rule", () =>
  withBoxDirectory((open, directory) => {
    Deno.symlinkSync("/var", `${directory}/tmp`);
    const error = assertThrows(() => open(["tmp:tmp"]), SystemError);
    assertStringIncludes(error.message, "directory rule 'tmp:tmp': cannot make the temporary");
  }));

Deno.test("ruleName() shows a rule as a user would write it", () => {
  const names = defaultDirectoryRules().map(ruleName);
  assertEquals(names.includes("directory rule 'bin'"), true, names.join("; "));
  assertEquals(names.includes("directory rule 'box=./box:rw'"), true, names.join("; "));
});
