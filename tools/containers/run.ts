/**
 * Tests boxes in containers of podman with crun, and, with words, test files inside of one.
 *
 * The image is a Debian root made by debootstrap, from the mirror that this machine uses; it is kept in
 * `.tools/containers`.
 *
 * usage: ./dev container-test [TEST…]
 */

import { findMirror } from "../fresh/root.ts";
import { execute, ROOT } from "../process.ts";
import { installIfMissing } from "../vm/debian.ts";

const FOLDER = `${ROOT}/.tools/containers`;
const DEBIAN = `${FOLDER}/bookworm`;
/** What tests inside need. */
const PACKAGES = "gcc,libc6-dev,procps,python3,uidmap,util-linux";
/** Names the packages that a root was made with. */
const STAMP = `${DEBIAN}.packages`;
const COMMANDS = {
  podman: "podman",
  crun: "crun",
  newuidmap: "uidmap",
  debootstrap: "debootstrap",
};

async function makeRoot(): Promise<void> {
  if (await Deno.readTextFile(STAMP).catch(() => "") === PACKAGES) return;
  const partial = `${FOLDER}/new-${Deno.pid}`;
  await Deno.mkdir(FOLDER, { recursive: true });
  const words = ["--variant=minbase", `--include=${PACKAGES}`, "bookworm", partial];
  const { success, stdout, stderr } = await execute(["debootstrap", ...words, await findMirror()]);
  if (success) {
    await execute(["rm", "-rf", "--one-file-system", DEBIAN]);
    await Deno.rename(partial, DEBIAN);
    return await Deno.writeTextFile(STAMP, PACKAGES);
  }
  await execute(["rm", "-rf", "--one-file-system", partial]);
  const complaint = (stderr.trim() || stdout.trim()).split("\n").at(-1);
  throw new Error(`debootstrap cannot make a root: ${complaint}`);
}

if (import.meta.main) {
  for (const [command, name] of Object.entries(COMMANDS)) await installIfMissing(command, name);
  await makeRoot();
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "tests/containers"],
    cwd: ROOT,
    env: { ISOLATE_TEST_ROOT: DEBIAN, ISOLATE_TEST_INSIDE: Deno.args.join(" ") },
  }).spawn().status;
  Deno.exit(code);
}
