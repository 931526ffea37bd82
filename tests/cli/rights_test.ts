/** Root without one of its rights, as containers have it: what is missing is said, and nothing is left. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DIRECT, start, withScratch } from "../support/isolate.ts";

const ID = 136;

/** What `isolate` says without a capability; the last word of a run is what counts. */
const NEEDED: Readonly<Record<string, RegExp | undefined>> = {
  // A user namespace gives it back.
  sys_admin: undefined,
  sys_chroot: /lacks CAP_SYS_CHROOT .*--cap-add=SYS_CHROOT/,
  setuid: /lacks CAP_SETUID .*--cap-add=SETUID/,
  setgid: /lacks CAP_SETGID .*--cap-add=SETGID/,
  chown: /lacks CAP_CHOWN .*--cap-add=CHOWN/,
  net_admin: /lacks CAP_NET_ADMIN .*--cap-add=NET_ADMIN/,
  setpcap: /lacks CAP_SETPCAP .*--cap-add=SETPCAP/,
  fowner: /lacks CAP_FOWNER .*--cap-add=FOWNER/,
  kill: undefined,
  mknod: undefined,
  dac_override: undefined,
};

function isolateWithout(rights: string, args: readonly string[]) {
  const through = ["setpriv", `--bounding-set=${rights}`, `--inh-caps=${rights}`];
  return start([...through, ...DIRECT, ...args], { env: { ISOLATE_SERVICE: "off" } }).result;
}

/** In a guest a command takes seconds: what no box needs is left to other machines. */
const IS_GUEST = await Deno.stat("/vm/run").then(() => true, () => false);

for (const [right, message] of Object.entries(NEEDED)) {
  if (IS_GUEST && message === undefined) continue;
  Deno.test(`without CAP_${right.toUpperCase()} a run works or says so, and cleanup leaves nothing`, async () => {
    await withScratch(async (scratch) => {
      const config = `${scratch}/config`;
      await Deno.writeTextFile(
        config,
        `box_root = ${scratch}/boxes\nlock_root = ${scratch}/locks\nfirst_uid = 61700\nfirst_gid = 61700\n`,
      );
      const options = [`--config=${config}`, `-b${ID}`];
      const rights = `-${right}`;
      const init = await isolateWithout(rights, [...options, "--init"]);
      assertEquals(init.code, 0, init.stderr);
      const run = await isolateWithout(rights, [...options, "--run", "--", "/bin/true"]);
      if (message) {
        assertEquals(run.code, 2);
        assertMatch(run.stderr, message);
      } else {
        assertEquals(run.code, 0, run.stderr);
      }
      const cleanup = await isolateWithout(rights, [...options, "--cleanup"]);
      assertEquals([cleanup.code, cleanup.stderr], [0, ""]);
      assertEquals([...Deno.readDirSync(`${scratch}/boxes`)], []);
    });
  });
}

Deno.test("isolate check tries a box, and says what is missing", async () => {
  const works = await start([...DIRECT, "check", "--json"]).result;
  const found = JSON.parse(works.stdout).find(({ check }: { check: string }) => check === "box");
  assertEquals(found.verdict, "pass");
  assertMatch(found.text, /^\/bin\/true ran in box \d+, in [\d.]+ ms$/);
  const fails = await isolateWithout("-setuid", ["check"]);
  assertEquals(fails.code, 1);
  assertStringIncludes(fails.stderr, "FAIL    box: no box can be used: ");
  assertMatch(fails.stderr, /lacks CAP_SETUID/);
  assert(!fails.stderr.includes("Internal error"));
});
