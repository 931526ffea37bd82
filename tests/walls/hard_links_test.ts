/**
 * Hard links in a box to files of others, which only a setting of the machine allows: it is changed in a
 * guest alone.
 */

import { assertEquals } from "@std/assert";
import { attackProgram } from "../support/attack.ts";
import { walkThrough, withHostFiles } from "../support/host_files.ts";
import { isolate, sh, succeed, withBox } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const IN_GUEST = [needs.path("/vm/run", "a guest, as it changes fs.protected_hardlinks")];

const CALLER = 7250;
const AS_CALLER = [`--as-uid=${CALLER}`, `--as-gid=${CALLER}`];
const THROUGH_CALLER = ["setpriv", `--reuid=${CALLER}`, `--regid=${CALLER}`, "--clear-groups"];

/** Hard links to others' files: fs.protected_hardlinks forbids them, unless it is off. */
async function withUnprotectedLinks(test: () => Promise<void>): Promise<void> {
  const setting = "/proc/sys/fs/protected_hardlinks";
  const before = await Deno.readTextFile(setting);
  try {
    await Deno.writeTextFile(setting, "0");
    await test();
  } finally {
    await Deno.writeTextFile(setting, before);
  }
}

testWith(
  IN_GUEST,
  "the keeper gives nobody a file of root's that a caller has linked into the box",
  async () => {
    await withUnprotectedLinks(async () => {
      await withHostFiles(async (host) => {
        await withBox(251, async (box) => {
          await sh(
            `setpriv --reuid=${CALLER} --regid=${CALLER} --clear-groups sh -ec '
            ln ${host}/target/file ${box.path()}/hard
            mkdir ${box.path()}/sub; ln ${host}/target/file ${box.path()}/sub/hard'`,
          );
          const seen = await isolate(
            ["--box-id=251", ...AS_CALLER, "-p", "--run", "--", "/bin/stat", "-c%u", "hard"],
          );
          assertEquals([seen.code, seen.stdout], [0, "0\n"]);
          const write = await isolate(
            ["--box-id=251", ...AS_CALLER, "-p", "--run", "--", "/bin/sh", "-c", "echo evil >hard"],
          );
          assertEquals(write.code, 1);
          assertEquals((await Deno.stat(box.path("hard"))).uid, 0);
          await walkThrough(box, AS_CALLER);
        }, { options: AS_CALLER });
      });
    });
  },
);

testWith(IN_GUEST, "a program cannot link what is outside of its directories", async () => {
  await withUnprotectedLinks(async () => {
    await withBox(252, async (box) => {
      const script = `for target in /usr/bin/su /bin/sh /tmp/x /dev/null /proc/self/status; do
          ln $target /box/hard 2>/dev/null && exit 1; ln -P /proc/self/fd/0 /box/hard 2>/dev/null && exit 1
        done; exit 0`;
      const run = await box.run(["-p"], ["/bin/sh", "-c", `touch /tmp/x; ${script}`]);
      assertEquals(run.code, 0, run.stderr);
    });
  });
});

testWith(
  IN_GUEST,
  "a caller who swaps directories and links while the keeper works gains nothing",
  async () => {
    await withUnprotectedLinks(async () => {
      await withHostFiles(async (host) => {
        const options = ["--box-id=253", ...AS_CALLER];
        const racers: Deno.ChildProcess[] = [];
        const race = await attackProgram("race");
        try {
          for (let round = 0; round < 4; round++) {
            const directory = (await succeed([...options, "--init"])).trim();
            const open = `${directory}/box/open`;
            await sh(
              `mkdir ${open}; chmod 777 ${open}; cd ${open}
             for i in 1 2 3 4 5 6 7 8; do mkdir -m 777 d$i; touch d$i/f; done
             chown -R ${CALLER}:${CALLER} ${open}`,
            );
            const [program, ...args] = [...THROUGH_CALLER, race, open, `${host}/target`];
            const racer = new Deno.Command(program!, { args, stdout: "piped" }).spawn();
            racers.push(racer);
            const reader = racer.stdout.getReader();
            assertEquals(new TextDecoder().decode((await reader.read()).value), "racing\n");
            await reader.cancel();
            for (let i = 0; i < 2; i++) {
              const keep = i % 2 ? ["--special-files"] : [];
              // What cannot be worked on is an error; what must not happen is checked on the host.
              await isolate([...options, ...keep, "-p", "--run", "--", "/bin/true"]);
            }
            await isolate([...options, round % 2 ? "--init" : "--cleanup"]);
            racer.kill("SIGKILL");
            await racer.status;
          }
        } finally {
          for (const racer of racers) {
            try {
              racer.kill("SIGKILL");
            } catch { /* it is dead */ }
            await racer.status;
          }
          await isolate([...options, "--cleanup"]);
        }
        const owners = await sh(`find ${host} -printf '%u\\n' | sort -u`);
        assertEquals(owners, "root\n");
      });
    });
  },
);
