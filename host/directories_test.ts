import { assertEquals, assertThrows } from "@std/assert";
import { AT_FDCWD } from "../ffi/linux.ts";
import { Plan } from "../ffi/plan.ts";
import { System, SystemError } from "../ffi/system.ts";
import { openFolder, withFolder } from "../tests/support/folder.ts";
import { makeDirectories, planDirectories } from "./directories.ts";
import { callerIdentity, type Identity } from "./identity.ts";
import { STRICT } from "./open.ts";

const NOBODY: Identity = { uid: 65534, gid: 65534, groups: [] };
const system = await System.load();
const own = callerIdentity(system);

function modeOf(path: string): number {
  return Deno.lstatSync(path).mode! & 0o7777;
}

/** Does something with a umask that takes every permission from others. */
function withUmask(work: () => void): void {
  const umask = Deno.umask(0o077);
  try {
    work();
  } finally {
    Deno.umask(umask);
  }
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("makeDirectories() makes what is missing, by the umask unless a mode is given", () =>
  withFolder((folder) => {
    const access = { system, caller: own, own };
    withUmask(() => {
      makeDirectories(access, `${folder}/a/b`);
      assertEquals(makeDirectories(access, `${folder}/a/c/d`, { mode: 0o711 }).mode, 0o711);
    });
    assertEquals(["a", "a/b", "a/c", "a/c/d"].map((path) => modeOf(`${folder}/${path}`)), [
      0o700,
      0o700,
      0o711,
      0o711,
    ]);
    const before = openDescriptors();
    assertEquals(makeDirectories(access, `${folder}/a/`, { mode: 0o755 }).mode, 0o700);
    assertEquals(openDescriptors(), before);
  }));

Deno.test("makeDirectories() needs no more rights than the caller has, and gives no more", () =>
  withFolder((folder) => {
    const access = { system, caller: NOBODY, own };
    // Nobody can pass, and neither list it nor write to it.
    Deno.chmodSync(folder, 0o711);
    Deno.mkdirSync(`${folder}/theirs`);
    Deno.chownSync(`${folder}/theirs`, NOBODY.uid, NOBODY.gid);
    makeDirectories(access, `${folder}/theirs/a/b`, { mode: 0o755 });
    assertEquals(Deno.statSync(`${folder}/theirs/a/b`).uid, NOBODY.uid);
    const before = openDescriptors();
    const error = assertThrows(() => makeDirectories(access, `${folder}/a/b`), SystemError);
    assertEquals(error.code, "EACCES");
    assertEquals(openDescriptors(), before);
    Deno.writeTextFileSync(`${folder}/file`, "");
    for (const path of ["file", "file/a"]) {
      const error = assertThrows(() => makeDirectories(access, `${folder}/${path}`), SystemError);
      assertEquals(error.code, "ENOTDIR", path);
    }
  }));

Deno.test("planDirectories() follows no link where it must not, and changes nothing that was there", () =>
  withFolder((folder) => {
    Deno.mkdirSync(`${folder}/outside`);
    Deno.mkdirSync(`${folder}/base`);
    Deno.symlinkSync("../outside", `${folder}/base/link`);
    Deno.mkdirSync(`${folder}/base/there`, { mode: 0o750 });
    const base = openFolder(system, `${folder}/base`);
    const make = (...parts: string[]) => {
      const plan = new Plan();
      const options = { resolve: STRICT, mode: 0o755, owner: NOBODY, what: "make it" };
      const { fd, made } = planDirectories(plan, base, parts, options);
      const failure = system.attempt(plan, "make");
      system.close(plan.result(fd));
      return failure?.code ?? (plan.result(made) === 0 ? "made" : "there");
    };
    assertEquals(make("link", "a"), "ELOOP");
    assertEquals([...Deno.readDirSync(`${folder}/outside`)], []);
    assertEquals(make("there"), "there");
    assertEquals([modeOf(`${folder}/base/there`), Deno.statSync(`${folder}/base/there`).uid], [
      0o750,
      0,
    ]);
    assertEquals(make("there", "new"), "made");
    assertEquals(Deno.statSync(`${folder}/base/there/new`).uid, NOBODY.uid);
    assertEquals(make("there", "new"), "there");
    system.close(base);
  }));

Deno.test("planDirectories() wants a name", () => {
  const options = { resolve: 0, what: "make it" };
  assertThrows(() => planDirectories(new Plan(), AT_FDCWD, [], options), TypeError);
});
