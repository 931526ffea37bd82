/** Callers in other namespaces or in a chroot: what they get is theirs, or they get one sentence. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  assertRefused,
  CLIENT,
  type CommandResult,
  start,
  withScratch,
} from "../support/isolate.ts";
import { startService, type TestService } from "../support/service.ts";

const USER = 7200;
const AS_USER = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];

/** Runs the client in some surroundings; `script` has the client's command line in "$@". */
async function caller(
  service: TestService,
  { through = [], script = 'exec "$@"', args }: {
    through?: readonly string[];
    script?: string;
    args: readonly string[];
  },
): Promise<CommandResult> {
  // Everybody can execute it there: the checkout may be where only root looks.
  const client = `${service.socket}-client`;
  await Deno.copyFile(CLIENT, client);
  await Deno.chmod(client, 0o755);
  const command = [...through, "/bin/bash", "-ec", script, "shell", client, ...args];
  return await start(command, { env: { ISOLATE_SERVICE: service.socket } }).result;
}

const run = (...program: string[]) => ["-b1", "-s", "--run", "--", ...program];

async function withService(test: (service: TestService) => Promise<void>): Promise<void> {
  await using service = await startService([], { firstUser: 73200 });
  try {
    await test(service);
  } finally {
    await caller(service, { args: ["-b1", "--cleanup"] });
  }
}

Deno.test("nobody is served in a user namespace of his own", async () => {
  await withService(async (service) => {
    await caller(service, { args: ["-b1", "--init"] });
    const asRoot = { through: ["unshare", "--user", "--map-root-user"], args: run("/bin/true") };
    assertRefused(await caller(service, asRoot), "serves nobody in a user namespace");
    const asUser = { ...asRoot, through: [...AS_USER, ...asRoot.through] };
    assertRefused(await caller(service, asUser), "in a user namespace, call it from outside");
    // Who seems to be root there is still nobody to the socket.
    await Deno.chmod(service.socket, 0o660);
    assertRefused(await caller(service, asUser), "in a user namespace, call it from outside");
  });
});

Deno.test("root's box shows the mounts that root has, and what is below them", async () => {
  await withService(async (service) => {
    await caller(service, { args: ["-b1", "--init"] });
    const seen = async (script: string, place: string) => {
      const through = ["unshare", "--mount"];
      const listing = await caller(service, {
        through,
        script: `${script}; exec "$@"`,
        args: run("/bin/ls", place),
      });
      assertEquals(listing.stderr, "");
      return listing.stdout;
    };
    // Other mounts that no rule binds make no difference.
    assertEquals(await seen("mount -t tmpfs none /mnt", "/usr/games") !== "own\n", true);
    assertEquals(
      await seen("mount -t tmpfs none /usr/games; >/usr/games/own", "/usr/games"),
      "own\n",
    );
    assertEquals(
      await seen("mount --bind /etc /usr/games", "/usr/games/passwd"),
      "/usr/games/passwd\n",
    );
    const replaced = `d=$(mktemp -d); mount -t tmpfs none $d; cd $d; mkdir own $(ls /usr)
      for i in $(ls /usr); do mount --bind /usr/$i $i; done; mount --rbind $d /usr`;
    assertEquals((await seen(replaced, "/usr")).split("\n").includes("own"), true);
  });
});

Deno.test("a user with other mounts gets a box if they are the same where it matters", async () => {
  await withService(async (service) => {
    await caller(service, { through: AS_USER, args: ["-b1", "--init"] });
    const through = ["unshare", "--mount"];
    const as = `exec ${AS_USER.join(" ")} "$@"`;
    const harmless = { through, script: `mount -t tmpfs none /mnt; ${as}`, args: run("/bin/true") };
    assertEquals((await caller(service, harmless)).stderr, "");
    const other = { ...harmless, script: `mount -t tmpfs none /usr/games; ${as}` };
    assertRefused(await caller(service, other), "that is not that of the service");
  });
});

Deno.test("a caller in a chroot sees in the box what is in the chroot", async () => {
  await withService(async (service) => {
    await withScratch(async (root) => {
      for (const name of ["bin", "dev/shm", "lib", "usr"]) {
        await Deno.mkdir(`${root}/${name}`, { recursive: true });
      }
      await Deno.copyFile(CLIENT, `${root}/bin/isolate`);
      await Deno.chmod(`${root}/bin/isolate`, 0o755);
      await Deno.link(service.socket, `${root}/socket`);
      const there = (user: number, ...args: string[]) =>
        start(["chroot", `--userspec=${user}:${user}`, root, "/bin/isolate", ...args], {
          env: { ISOLATE_SERVICE: "/socket" },
        }).result;
      for (const user of [0, USER]) {
        assertEquals((await there(user, "-b1", "--init")).code, 0);
        // The program is the client, which finds no service in the box: no other box has it there.
        const { stderr } = await there(user, ...run("/bin/isolate"));
        assertMatch(stderr, /^No isolate service is running at \/run\/isolate\/socket/);
        const { stderr: complaint } = await there(user, ...run("/bin/true"));
        assertMatch(complaint, /\/bin\/true.*No such file/);
        assertEquals((await there(user, "-b1", "--cleanup")).code, 0);
      }
    });
  });
});

Deno.test("a caller in a PID namespace below is served", async () => {
  await withService(async (service) => {
    const through = ["unshare", "--pid", "--fork", "--mount-proc"];
    const script = '"$1" -b1 --init >/dev/null; exec "$@"';
    const { code, stdout, stderr } = await caller(service, {
      through,
      script,
      args: run("/bin/echo", "x"),
    });
    assertEquals([code, stdout, stderr], [0, "x\n", ""]);
  });
});

Deno.test("a service in a PID namespace says that it does not see callers outside", async () => {
  // unshare takes no notice of SIGTERM.
  const script = 'unshare --pid --fork --kill-child=TERM --mount-proc "$@" & ' +
    'trap "kill -9 $!" TERM; wait; wait';
  const through = ["/bin/bash", "-c", script, "shell"];
  await using service = await startService([], { firstUser: 73200, through });
  assertRefused(await caller(service, { args: run("/bin/true") }), "in a PID namespace");
});

Deno.test("mounts that a caller has cloned serve one run after the other", async () => {
  await withService(async (service) => {
    await caller(service, { args: ["-b1", "--init"] });
    const script = `for i in $(seq 20); do "$@" --dir=/x=/etc --run -- /bin/ls /x/passwd
      "$@" --run -- /bin/true; done`;
    const args = ["-b1", "-s"];
    const { stdout, stderr } = await caller(service, {
      through: ["unshare", "--mount"],
      script,
      args,
    });
    assertEquals([stderr, stdout], ["", "/x/passwd\n".repeat(20)]);
  });
});
