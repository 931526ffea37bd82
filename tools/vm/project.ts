/** What all guests have in them: Deno, the project, its tests, and what starts them. */

import { output } from "./debian.ts";
import type { Image } from "./image.ts";
import type { Kernel } from "./kernel.ts";
import { projectFiles } from "./suite.ts";

/** Where the project stands in the guest: not below what is mounted there. */
const GUEST_PROJECT = "/srv/isolate";

/** Below what everybody may enter, so that it can be run in boxes too. */
const GUEST_DENO = "/usr/local/bin/deno";

/** What makes an image. */
export interface ImageOptions {
  /** The project's folder. */
  root: string;
  kernel: Kernel;
  /** For each of the guests that run at the same time, its files of tests. */
  hands: readonly string[][];
  /**
   * What is done instead of running tests: a shell script that starts in the project's folder, finds
   * Deno as `deno`, and leaves files in `/vm/results`.
   */
  script?: string;
}

/**
 * What is called when all is mounted. Each guest finds its number on the kernel's command line,
 * since all have the same image.
 */
function commandScript(
  { hands, script }: { hands: readonly string[][]; script?: string | undefined },
): string {
  const words = "test --allow-all --no-check --cached-only --junit-path=/vm/results/report.xml";
  const cases = hands.map((tests, index) => `  ${index}) set -- ${tests.map(quoted).join(" ")} ;;`);
  const work = script ?? `case $(sed 's/.*guest_index=//' /proc/cmdline) in
${cases.join("\n")}
esac
exec ${GUEST_DENO} ${words} "$@"`;
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 DENO_DIR=/vm/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
export ISOLATE_TEST_REPORT=1
cd ${GUEST_PROJECT} || exit
${work}
`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The folder in which Deno keeps packages from npm. */
async function npmCache(root: string): Promise<string> {
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: root }));
  return info.npmCache;
}

/** Adds all this to an image. */
export async function addProject(
  image: Image,
  { root, kernel, hands, script, modules }: ImageOptions & { modules: readonly string[] },
): Promise<void> {
  image.addFileAs(GUEST_DENO, Deno.execPath());
  image.addFolderAs("/vm/deno/npm", await npmCache(root));
  for (const file of await projectFiles(root)) {
    image.addFileAs(`${GUEST_PROJECT}/${file}`, `${root}/${file}`);
  }
  for (const [index, module] of modules.entries()) {
    const name = `${index}-${module.split("/").at(-1)}`;
    image.addFileAs(`/vm/modules/${name}`, `${kernel.modules}/${module}`);
  }
  const scripts = { "/init": "init.sh", "/vm/init": "init.sh", "/vm/run": "run.sh" };
  for (const [path, name] of Object.entries(scripts)) {
    image.addFileAs(path, `${root}/tools/vm/${name}`, { mode: 0o755 });
  }
  image.addFileAs("/vm/busybox", kernel.busybox);
  image.addText("/vm/command", commandScript({ hands, script }), { mode: 0o755 });
  // Mount points, and what is empty at first.
  const folders = ["/proc", "/sys", "/dev", "/run", "/opt", "/mnt", "/media", "/home"];
  const own = ["/etc/alternatives", "/vm/root", "/vm/results"];
  for (const folder of [...folders, ...own]) image.addDirectory(folder);
  image.addDirectory("/tmp", 0o1777);
  image.addDirectory("/root", 0o700);
}
