/**
 * Disk quotas through the command line, on a file system made for each test. Where the kernel has
 * no quotas the tests are skipped; the guest's kernel of `./dev vm-test` has them.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRefused, isolate, start, succeed } from "../support/isolate.ts";
import { mountQuotaFileSystem, needsQuota } from "../support/quota_file_system.ts";
import { needs, testWith } from "../support/skip.ts";

const REQUIREMENTS = [await needsQuota()];

/** Blocks and inodes of most tests; `box/` itself is one of the inodes. */
const BLOCKS_KIB = 100;
const INODES = 20;
const QUOTA = `--quota=${BLOCKS_KIB},${INODES}`;
const FIRST_UID = 61000;

const FILL = "head -c 1000000 /dev/zero > big";
const CREATE_50 = "i=0; while [ $i -lt 50 ]; do : > file$i || exit 3; i=$((i+1)); done";
const FILL_AND_CREATE = `${FILL} && ${CREATE_50}`;
const COMPLAINT = "Disk quota exceeded";
const FINE = { code: 0, stdout: "", stderr: "" };

/** Writes a configuration that puts boxes into a folder of the test's own; gives the option. */
async function configure(folder: string): Promise<string> {
  const lines = [
    `box_root = ${folder}/boxes`,
    `lock_root = ${folder}/locks`,
    `first_uid = ${FIRST_UID}`,
    `first_gid = ${FIRST_UID}`,
    "num_boxes = 10",
  ];
  const file = `${folder}/isolate.conf`;
  await Deno.writeTextFile(file, `${lines.join("\n")}\n`, { mode: 0o644 });
  return `--config=${file}`;
}

/** The command, with its boxes on a file system with quotas. */
interface Quotas {
  folder: string;
  /** The option that names its configuration. */
  config: string;
  /** Makes a box. */
  init(...args: string[]): Promise<string>;
  /** Runs a line of shell in a box. */
  shell(line: string, options?: { boxId?: number }): ReturnType<typeof isolate>;
  /** Cleans up the box. */
  cleanup(): Promise<string>;
}

function quotaTest(name: string, body: (quotas: Quotas) => Promise<void>): void {
  testWith(REQUIREMENTS, name, async () => {
    await using mounted = await mountQuotaFileSystem();
    const config = await configure(mounted.path);
    await body({
      folder: mounted.path,
      config,
      init: (...args) => succeed([config, ...args, "--init"]),
      shell: (line, { boxId = 0 } = {}) => {
        const words = [config, "-s", `-b${boxId}`, "-p", "--run", "--", "/bin/sh", "-c", line];
        return isolate(words, { env: { LC_ALL: "C" } });
      },
      cleanup: () => succeed([config, "--cleanup"]),
    });
  });
}

quotaTest("--quota stops a program that writes more blocks than it may", async (quotas) => {
  await quotas.init(QUOTA);
  const { code, stderr } = await quotas.shell(FILL);
  assertEquals(code, 1);
  assertStringIncludes(stderr, COMPLAINT);
  const { size } = await Deno.stat(`${quotas.folder}/boxes/0/box/big`);
  assert(size > 0 && size <= BLOCKS_KIB * 1024, `${size} bytes were written`);
});

quotaTest("--quota stops a program that makes more files than it may", async (quotas) => {
  await quotas.init(QUOTA);
  const { code, stderr } = await quotas.shell(CREATE_50);
  assertEquals(code, 1);
  assertStringIncludes(stderr, COMPLAINT);
  const files = await Array.fromAsync(Deno.readDir(`${quotas.folder}/boxes/0/box`));
  assert(files.length > 0 && files.length < INODES, `${files.length} files were made`);
});

quotaTest("--quota holds in the box's /tmp too", async (quotas) => {
  await quotas.init(QUOTA);
  assertStringIncludes((await quotas.shell(`cd /tmp; ${FILL}`)).stderr, COMPLAINT);
});

quotaTest("--quota counts what was stored in earlier runs", async (quotas) => {
  await quotas.init(QUOTA);
  const write60 = (name: string) => quotas.shell(`head -c 60000 /dev/zero > ${name}`);
  assertEquals(await write60("first"), FINE);
  assertStringIncludes((await write60("second")).stderr, COMPLAINT);
});

quotaTest("--quota of one box leaves the others alone", async (quotas) => {
  await quotas.init("-b0", QUOTA);
  await quotas.init("-b1");
  assertEquals(await quotas.shell(FILL_AND_CREATE, { boxId: 1 }), FINE);
});

quotaTest("--quota with a zero limits the other value alone", async (quotas) => {
  await quotas.init(`--quota=0,${INODES}`);
  assertEquals(await quotas.shell(FILL), FINE);
  assertStringIncludes((await quotas.shell(CREATE_50)).stderr, COMPLAINT);
});

quotaTest("--init without --quota lifts the quota of the box's earlier life", async (quotas) => {
  await quotas.init(QUOTA);
  assertEquals((await quotas.shell(FILL)).code, 1);
  await quotas.init();
  assertEquals(await quotas.shell(FILL_AND_CREATE), FINE);
});

quotaTest("--init with another --quota replaces the old one", async (quotas) => {
  await quotas.init(QUOTA);
  await quotas.init("--quota=2000,100");
  assertEquals(await quotas.shell(FILL_AND_CREATE), FINE);
});

quotaTest("--cleanup leaves no quota behind", async (quotas) => {
  await quotas.init(QUOTA);
  await quotas.cleanup();
  // Somebody else may be given the box's user id later.
  const free = `${quotas.folder}/free`;
  await Deno.mkdir(free);
  await Deno.chown(free, FIRST_UID, FIRST_UID);
  const user = [`--reuid=${FIRST_UID}`, `--regid=${FIRST_UID}`, "--clear-groups"];
  const shell = ["/bin/sh", "-c", FILL_AND_CREATE];
  assertEquals(await start(["setpriv", ...user, ...shell], { cwd: free }).result, FINE);
});

quotaTest("ReCodEx: a box with a quota and a control group", async ({ folder, config, init }) => {
  const box = [config, "--cg", "--box-id=3"];
  try {
    assertEquals(await init("--cg", QUOTA, "--box-id=3"), `${folder}/boxes/3\n`);
    const words = [...box, "-s", "--cg-mem=65536", "--processes", "--run", "--", "/bin/sh", "-c"];
    const { code, stderr } = await isolate([...words, FILL], { env: { LC_ALL: "C" } });
    assertEquals(code, 1);
    assertStringIncludes(stderr, COMPLAINT);
    assertEquals((await isolate([...words, "rm big; : > small"])).code, 0);
  } finally {
    await succeed([...box, "--cleanup"]);
  }
});

quotaTest("--quota holds for root inside, with a control group too", async (quotas) => {
  const box = [quotas.config, "--cg", "--box-id=4"];
  await quotas.init("--cg", QUOTA, "--box-id=4");
  try {
    const words = [...box, "-s", "--root-inside", "-p", "--run", "--", "/bin/sh", "-c"];
    const shell = (line: string) => isolate([...words, line], { env: { LC_ALL: "C" } });
    // Nobody whose limit is another, and no way around it.
    const script = `id -u; chown 1 . 2>/dev/null && echo chown; ulimit -f unlimited; ${FILL}`;
    const full = await shell(script);
    assertEquals([full.code, full.stdout], [1, "0\n"], full.stderr);
    assertStringIncludes(full.stderr, COMPLAINT);
    assertEquals((await shell("rm big; : > small")).code, 0);
    assertStringIncludes((await shell(CREATE_50)).stderr, COMPLAINT);
  } finally {
    await succeed([...box, "--cleanup"]);
  }
});

testWith([needs.root()], "--quota on a file system without quotas is refused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "isolate-quota-", dir: "/dev/shm" });
  try {
    const config = await configure(folder);
    assertRefused(await isolate([config, QUOTA, "--init"]), /--quota.*disk quota/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
