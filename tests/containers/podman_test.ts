// Boxes in containers without CAP_SYS_ADMIN: of root and of an ordinary user.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withFolder } from "../support/folder.ts";
import { DENO, needsPodman, OUR_PROFILE, Podman, PROJECT } from "../support/podman.ts";
import { testWith } from "../support/skip.ts";

/** Docker's default profile refuses these, Podman's does not. */
const REFUSED = ["unshare", "mount", "setns", "open_tree", "move_mount", "fsopen", "pivot_root"];
const LIKE_DOCKER = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
    { names: REFUSED, action: "SCMP_ACT_ERRNO", errnoRet: 1 },
  ],
};

for (const isRootless of [false, true]) {
  const whose = isRootless ? "an ordinary user's container" : "root's container";
  testWith(needsPodman, `boxes work in ${whose} without CAP_SYS_ADMIN`, async (context) => {
    await using podman = await Podman.open({ isRootless });

    await context.step("with our profile as anywhere", async () => {
      const { code, stdout, stderr } = await podman.run(
        `set -e
         isolate --init
         isolate --silent --run -- /usr/bin/id -u
         isolate --silent --run -p -- /usr/bin/python3 -c 'print(6 * 7)'
         isolate --silent --run --root-inside -- /usr/bin/id -u
         isolate --silent --run -p -- /bin/sh -c 'echo /proc/[0-9]*; grep Cap /proc/self/status'
         isolate --time=0.2 --meta=- --run -- /bin/sh -c 'while :; do :; done' || true
         isolate --cleanup
         ls /var/local/lib/isolate`,
        OUR_PROFILE,
      );
      assertEquals(code, 0, stderr);
      assertMatch(
        stdout,
        /^\/var\/local\/lib\/isolate\/0\n60000\n42\n0\n[^\n]+\n(Cap\w+:\t0+\n){5}/,
      );
      assertMatch(stdout, /^status:TO$/m);
    });

    await context.step("with no more capabilities than are needed", async () => {
      const few = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETFCAP", "SETGID", "SETUID"];
      const options = ["--cap-drop=ALL", `--cap-add=${few}`, "--security-opt=no-new-privileges"];
      const { code, stdout, stderr } = await podman.run(
        "isolate --init && isolate --silent --run -- /usr/bin/id -u",
        [...OUR_PROFILE, ...options],
      );
      assertEquals([code, stdout], [0, "/var/local/lib/isolate/0\n60000\n"], stderr);
    });

    await context.step(
      "what needs root of the machine, and users it has not, is refused",
      async () => {
        const script = `isolate --init --box-size=1000; isolate --init --quota=100,100
        printf 'first_uid = 70000\nfirst_gid = 70000\nbox_root = /tmp/b\nlock_root = /tmp/l\n' >/tmp/config
        isolate --config=/tmp/config --init; exit 0`;
        const { stderr } = await podman.run(script, OUR_PROFILE);
        assertMatch(
          stderr,
          /^Option --box-size needs root.*\n(Try .*\n)?Option --quota needs root.*\nBox 0 cannot have the user 70000/m,
        );
      },
    );

    await context.step("where /proc is covered in part, boxes have an empty one", async () => {
      const script =
        "isolate -v --init && isolate --silent --run -- /bin/ls -A /proc; isolate check";
      const { stdout, stderr } = await podman.run(script, OUR_PROFILE.slice(0, 1));
      assertEquals(stdout.split("\n")[0], "/var/local/lib/isolate/0");
      assertEquals(stdout.split("\n")[1]?.startsWith("#"), true, "ls prints nothing");
      assertMatch(stderr, /^CAUTION user-namespace: parts of \/proc are covered.*unmask=ALL/m);
    });

    await context.step("without the rights to map ids there is a sentence", async () => {
      const { code, stderr } = await podman.run("isolate --init", [
        ...OUR_PROFILE,
        "--cap-drop=ALL",
      ]);
      assertEquals(code, 2);
      assertMatch(stderr, /^Needs CAP_SYS_ADMIN, or .*--cap-add=SETUID,SETGID,SETFCAP\)\n$/);
    });

    await context.step("a profile that refuses them is named, with what helps", async () => {
      const profile = await Deno.makeTempFile({ suffix: ".json" });
      try {
        await Deno.writeTextFile(profile, JSON.stringify(LIKE_DOCKER));
        await Deno.chmod(profile, 0o644);
        const options = [`--security-opt=seccomp=${profile}`];
        const { code, stderr } = await podman.run("isolate --init", options);
        assertEquals(code, 2);
        assertStringIncludes(stderr, "a seccomp filter refuses them");
        assertStringIncludes(stderr, "containers/seccomp.json");
        const check = await podman.run("isolate check", options);
        assertMatch(check.stderr, /^FAIL +box: no box can be used: .*containers\/seccomp.json/m);
      } finally {
        await Deno.remove(profile);
      }
    });
  });
}

const INSIDE = (Deno.env.get("ISOLATE_TEST_INSIDE") ?? "").split(" ").filter(Boolean);
const needsFiles = INSIDE.length === 0
  ? "needs names of test files (./dev container-test TEST…)"
  : undefined;

/** What a test file imports if it uses the library itself, and not the command. */
const USES_LIBRARY = /"isolate\/mod\.ts"|support\/(judging|wall_fuzz|workbench)\.ts"/;

/** The files, with those of folders, apart: with the command, and with the library. */
async function sorted(): Promise<Record<"command" | "library", string[]>> {
  const files = INSIDE.flatMap((path) =>
    path.endsWith(".ts") ? [path] : [...Deno.readDirSync(`${PROJECT}/${path}`)]
      .map(({ name }) => `${path}/${name}`).filter((file) => file.endsWith("_test.ts"))
  );
  const sorted = { command: [] as string[], library: [] as string[] };
  for (const file of files.sort()) {
    const text = await Deno.readTextFile(`${PROJECT}/${file}`);
    sorted[USES_LIBRARY.test(text) ? "library" : "command"].push(file);
  }
  return sorted;
}

for (const isRootless of [false, true]) {
  const whose = isRootless ? "an ordinary user's" : "root's";
  for (const kind of ["command", "library"] as const) {
    const name = `test files that use the ${kind} pass inside of ${whose} container`;
    testWith([...needsPodman, needsFiles], name, async () => {
      const files = (await sorted())[kind];
      if (files.length === 0) return;
      await withFolder(async (folder) => {
        await copyPackages(folder);
        await using podman = await Podman.open({ isRootless });
        const words = [
          "--allow-all",
          "--no-check",
          "--cached-only",
          "--preload=tests/containers/inapplicable.ts",
        ];
        const enter = kind === "library" ? "ISOLATE_TEST_ENTER=1 " : "";
        const { code, stdout, stderr } = await podman.run(
          `cd '${PROJECT}' && ${enter}NO_COLOR=1 ${DENO} test ${words.join(" ")} ${
            files.join(" ")
          }`,
          [
            ...OUR_PROFILE,
            "--env=DENO_DIR=/tmp/deno",
            `--volume=${folder}/npm:/tmp/deno/npm:ro`,
            "--tmpfs=/tmp:mode=1777,exec",
          ],
        );
        for (const line of stdout.split("\n")) {
          if (/ ignored \(|FAILED|^(ok|FAILED) \|/.test(line)) console.log(line);
        }
        assertEquals(code, 0, `${stdout.slice(-10_000)}${stderr.slice(-10_000)}`);
      });
    });
  }
}

/** Copies what Deno has fetched to where an ordinary user can read it. */
async function copyPackages(folder: string): Promise<void> {
  const { stdout } = await new Deno.Command(DENO, { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.chmod(folder, 0o755);
  const { success } = await new Deno.Command("cp", {
    args: ["--recursive", npmCache, `${folder}/npm`],
  }).output();
  assertEquals(success, true);
  await new Deno.Command("chmod", { args: ["-R", "a+rX", folder] }).output();
}
