/** What the guests have in them: a system, Deno, the project, its tests, and what starts them. */

import { exists, projectFiles } from "../files.ts";
import { output, ROOT } from "../process.ts";
import { filesOfInstalled, installedClosure, unpackOnce } from "./debian.ts";
import { Image } from "./image.ts";
import type { Kernel } from "./kernel.ts";
import { isServed as isServedInGuests } from "./suite.ts";

/** Where the project lies in the guest: not below a directory that something is mounted on. */
export const GUEST_PROJECT = "/srv/isolate";

/** Below a directory that everybody may enter, so that boxes can run it too. */
const GUEST_DENO = "/usr/local/bin/deno";

/** Packages of this machine whose programs the tests call, or run in boxes. */
const HOST_PACKAGES = [
  ...["bash", "bsdutils", "coreutils", "dash", "e2fsprogs", "findutils", "gcc", "grep"],
  ...["hostname", "iproute2", "libc6-dev", "mount", "procps", "python3", "sed", "util-linux"],
];

/** Modules for disk quotas and for boxes with an address, each after those that it needs. */
const MODULES = [
  ...["fs/quota/quota_tree.ko", "fs/quota/quota_v2.ko", "drivers/block/loop.ko"],
  ...["net/llc/llc.ko", "net/802/stp.ko", "net/bridge/bridge.ko", "drivers/net/veth.ko"],
];

/** Packages of the guest that has a systemd of its own. */
const SYSTEMD_PACKAGES = [
  ...["base-passwd", "bash", "dash", "coreutils", "mount", "procps", "sed"],
  ...["systemd-sysv", "util-linux"],
];

/** What comes along with those packages to install and configure them, which nothing does here. */
const SYSTEMD_LEFT_OUT =
  /^\/(usr\/share\/(perl|doc|man|info|locale|i18n|zoneinfo|debconf)|usr\/lib\/.*\/perl|usr\/bin\/(perl|dpkg)|usr\/lib\/.*\/(gconv|libperl)|var\/lib\/dpkg)/;

/** Terminals to log in at, and units that need modules which the guest does not have. */
const MASKED = [
  ...["getty.target", "serial-getty@.service", "console-getty.service"],
  ...["proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service"],
];

/** Runs the tests beside a system that is up, as an operator would. */
const TEST_SERVICE = `[Unit]
Description=The tests of this guest

[Service]
Type=exec
ExecStart=/vm/run
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console

[Install]
WantedBy=multi-user.target
`;

/** What makes an image. */
export interface ImageOptions {
  kernel: Kernel;
  /** The Deno of the guest. Default: this one. */
  deno?: string;
  /** The test files of each guest that runs at the same time. */
  hands: readonly string[][];
  /** Whether those of a file go through the client of a service. Default: as in guests of this processor. */
  isServed?: (file: string) => boolean;
  /**
   * A shell script that runs instead of the tests. It starts in the project's folder, finds Deno as
   * `deno`, and leaves its results as files in `/vm/results`.
   */
  script?: string;
}

/** Makes a guest with control groups of version 2 alone, and with the modules that tests need. */
export async function makeCgroup2Image(options: ImageOptions): Promise<Image> {
  const image = await makePlainImage(options);
  for (const [index, module] of MODULES.entries()) {
    const name = `${index}-${module.split("/").at(-1)}`;
    image.addBytes(`/vm/modules/${name}`, await readModule(`${options.kernel.modules}/${module}`));
  }
  return image;
}

/** Reads a module; Debian compresses them since release 13. */
async function readModule(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const plain = await Deno.readFile(path).catch(() => undefined);
  if (plain !== undefined) return plain;
  const xz = new Deno.Command("xz", { args: ["--decompress", "--stdout", `${path}.xz`] });
  const { success, stdout, stderr } = await xz.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return stdout;
}

/** Makes the same guest without modules of the kernel. */
export async function makePlainImage(options: ImageOptions): Promise<Image> {
  const image = new Image();
  image.addHostFiles(await filesOfInstalled(await installedClosure(HOST_PACKAGES)));
  for (const name of ["group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"]) {
    image.addHost(`/etc/${name}`);
  }
  // Nobody logs in, but tests need a file that only root may read.
  image.addText("/etc/shadow", "root:*:::::::\n", { mode: 0o600 });
  await addProject(image, { ...options, busybox: options.kernel.busybox });
  return image;
}

/** Downloads and unpacks the packages of the guest with systemd. */
export async function prepareSystemd(folder: string): Promise<void> {
  await unpackOnce(`${folder}/systemd`, SYSTEMD_PACKAGES, { wholeSystem: true });
}

/** Makes a minimal Debian with a real systemd, of packages and nothing else. */
export async function makeSystemdImage(options: ImageOptions): Promise<Image> {
  const image = imageOfPackages(`${ROOT}/.tools/vm/systemd`, SYSTEMD_LEFT_OUT);
  image.addText("/etc/machine-id", `${"1".repeat(32)}\n`);
  image.addText("/etc/hostname", "guest\n");
  const units = "/etc/systemd/system";
  image.addText(`${units}/tests.service`, TEST_SERVICE);
  image.addSymlink(`${units}/multi-user.target.wants/tests.service`, "../tests.service");
  image.addSymlink(`${units}/default.target`, "/lib/systemd/system/multi-user.target");
  for (const name of MASKED) image.addSymlink(`${units}/${name}`, "/dev/null");
  // The packages' scripts would have made these, but nobody has run them.
  image.addSymlink("/var/run", "/run");
  image.addSymlink("/var/lock", "/run/lock");
  await addProject(image, { ...options, busybox: options.kernel.busybox });
  return image;
}

/** Makes an image of unpacked packages. */
export function imageOfPackages(folder: string, leftOut: RegExp): Image {
  const image = new Image();
  image.addFolderAs("/", folder, { leftOut });
  for (const name of ["passwd", "group"]) {
    image.addFileAs(`/etc/${name}`, `${folder}/usr/share/base-passwd/${name}.master`);
  }
  return image;
}

/** Adds Deno, the project, and what starts the tests. */
export async function addProject(
  image: Image,
  options: Omit<ImageOptions, "kernel"> & { busybox: string },
): Promise<void> {
  image.addFileAs(GUEST_DENO, options.deno ?? Deno.execPath());
  // What tests import besides: on a new machine it may not have been downloaded yet. Types are
  // removed here, too: in a guest that takes half a minute.
  const modules = ["isolate.ts", "tests/layers_test.ts", ...options.hands.flat()];
  await output([Deno.execPath(), "cache", "--quiet", "--no-check", ...modules], { cwd: ROOT });
  const info = JSON.parse(await output([Deno.execPath(), "info", "--json"], { cwd: ROOT }));
  image.addFolderAs("/vm/deno/npm", info.npmCache);
  for (const file of await projectFiles()) {
    image.addFileAs(`${GUEST_PROJECT}/${file}`, `${ROOT}/${file}`);
    const emitted = `${info.typescriptCache}/file${ROOT}/${file}.js`;
    if (exists(emitted)) image.addFileAs(`/vm/deno/gen/file${GUEST_PROJECT}/${file}.js`, emitted);
  }
  const scripts = { "/init": "init.sh", "/vm/init": "init.sh", "/vm/run": "run.sh" };
  for (const [path, name] of Object.entries(scripts)) {
    image.addFileAs(path, `${ROOT}/tools/vm/${name}`, { mode: 0o755 });
  }
  image.addFileAs("/vm/busybox", options.busybox);
  image.addText("/vm/command", commandScript(options), { mode: 0o755 });
  // Mount points, and what is empty at first.
  const folders = ["/proc", "/sys", "/dev", "/run", "/opt", "/mnt", "/media", "/home"];
  const own = ["/etc/alternatives", "/vm/root", "/vm/results"];
  for (const folder of [...folders, ...own]) image.addDirectory(folder);
  image.addDirectory("/tmp", 0o1777);
  image.addDirectory("/root", 0o700);
}

/** Starts one service for all test files, and waits until it accepts clients. */
const START_SERVICE = `start_service() {
  mkdir -p /run/tests
  printf 'service_socket = %s\\nservice_socket_mode = 0666\\n' /run/tests/socket >/run/tests/config
  deno run --quiet --no-prompt --allow-ffi direct.ts serve --config=/run/tests/config &
  export ISOLATE_TEST_RUNNING_SERVICE="$! /run/tests/socket"
  tries=0
  until [ -e /run/tests/socket ] || [ $tries = 300 ]; do
    sleep 1
    tries=$((tries + 1))
  done
}`;

/**
 * Writes the script that is called when everything is mounted. Guests share an image; each finds its
 * number on the kernel's command line.
 */
function commandScript({ hands, script, ...options }: Omit<ImageOptions, "kernel">): string {
  const { isServed = isServedInGuests } = options;
  const cases = hands.map((tests, index) => {
    const served = tests.filter(isServed);
    const direct = tests.filter((file) => !isServed(file));
    const lines = [
      ...testLine(direct, "direct"),
      ...served.length > 0 ? ["    start_service"] : [],
      ...testLine(served, "served"),
    ];
    return `  ${index})\n${lines.join("\n")}\n  ;;`;
  });
  const work = script ?? `status=0
case $(sed 's/.*guest_index=//' /proc/cmdline) in
${cases.join("\n")}
esac
exit $status`;
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 DENO_DIR=/vm/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
export ISOLATE_TEST_REPORT=1
cd ${GUEST_PROJECT} || exit
${START_SERVICE}
${work}
`;
}

/** The line that runs test files, if there are any. */
function testLine(files: readonly string[], way: "direct" | "served"): string[] {
  if (files.length === 0) return [];
  const words = "test --allow-all --no-check --cached-only";
  const report = `--junit-path=/vm/results/report-${way}.xml`;
  const variable = `ISOLATE_TEST_SERVICE=${way === "served" ? 1 : 0}`;
  const names = files.map(quoted).join(" ");
  return [`    ${variable} ${GUEST_DENO} ${words} ${report} ${names} || status=1`];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
