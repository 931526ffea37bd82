/**
 * Runs tests on the other processor: boots Debian's kernel for aarch64 in qemu, with Debian's packages
 * and Deno for aarch64. An emulated processor is slow: all that is named here takes a long time.
 *
 * usage: ./dev arm-test [WORD…]   only test files whose paths contain one of the words; without words all
 *                                 but those that judge whole packages
 */

import { projectFiles } from "../files.ts";
import { parseJunit } from "../junit.ts";
import { output, ROOT } from "../process.ts";
import { installIfMissing, unpackOnce } from "../vm/debian.ts";
import { type Accelerator, type Machine, runGuest, withoutRepeat } from "../vm/guest.ts";
import type { Image } from "../vm/image.ts";
import { addProject, GUEST_PROJECT, imageOfPackages } from "../vm/images.ts";

/** Where everything about these guests is kept. */
const FOLDER = `${ROOT}/.tools/arm`;

const PACKAGES = [
  ...["base-passwd", "bash", "bsdutils", "busybox-static", "coreutils", "dash", "findutils", "gcc"],
  ...["grep", "hostname", "libc6-dev", "linux-image-cloud-arm64", "mount", "procps", "python3"],
  ...["sed", "strace", "util-linux"],
];

/** What comes along and no test needs. */
const LEFT_OUT = new RegExp([
  "^/(boot|lib/modules|usr/lib/modules|var/lib/dpkg)(/|$)",
  "^/usr/share/(perl|doc|man|info|locale|i18n|zoneinfo|debconf|bug|lintian|initramfs-tools)",
  "/perl[/-]|/gconv|/libperl",
  "/lto1$|lto-dump|/lib(asan|tsan|lsan|ubsan|hwasan|gprofng)[.-]|/gprofng|-gnu-(ld\\.gold|dwp)$",
].join("|"));

/** What runs there: the shim and its plans, attacks, and the classic command line. */
const TESTS = /^(ffi|tests\/(walls|cli))\/.*_test\.ts$|^tests\/shim_test\.ts$/;

/** They compile and judge, for minutes each: what the processor can change is in the other files. */
const JUDGING = /^tests\/walls\/(judge_|random_)/;

/** Attacks, too, go through the client of a service: Deno takes more than ten seconds to start there. */
const SERVED = /^tests\/(walls|cli)\//;

const MACHINE: Machine = {
  qemu: "qemu-system-aarch64",
  words: ["-machine", "virt"],
  console: "ttyAMA0",
  hasResultsLine: false,
};

const EMULATED: Accelerator = {
  name: "tcg",
  qemuWords: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "neoverse-n1"],
  kernelWords: ["norandmaps", "results=console"],
};

const TIME_LIMIT_MS = 3_600_000;

/** Takes Deno for aarch64 from the pinned wheel, whose hash pip checks. */
async function prepareDeno(): Promise<string> {
  const deno = `${FOLDER}/deno/bin/deno`;
  const fresh = `${FOLDER}/deno-${Deno.pid}`;
  if (await Deno.stat(deno).then(() => true, () => false)) return deno;
  await installIfMissing("pip3", "python3-pip");
  await output([
    ...["python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"],
    ...["--no-cache-dir", "--only-binary", ":all:", "--platform", "manylinux_2_27_aarch64"],
    ...["--require-hashes", "--target", fresh, "-r", `${ROOT}/tools/py/deno.txt`],
  ]);
  await Deno.rename(fresh, `${FOLDER}/deno`);
  return deno;
}

/** What the tests import of npm. */
const NEEDED = "deno-std@";

/**
 * Names no package but those that the tests need: of others, parts for the guest's processor would be
 * missing, which are not here.
 */
async function trimPackages(image: Image): Promise<void> {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`));
  const isNeeded = (name: string) => name.replace(/^npm:/, "").startsWith(NEEDED);
  const keep = (table: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(table).filter(([name]) => isNeeded(name)));
  const trimmed = {
    ...lock,
    specifiers: keep(lock.specifiers),
    npm: keep(lock.npm),
    workspace: { dependencies: lock.workspace.dependencies.filter(isNeeded) },
  };
  const lines = (await Deno.readTextFile(`${ROOT}/deno.json`)).split("\n");
  const isOther = (line: string) => /"npm:/.test(line) && !line.includes(`"npm:${NEEDED}`);
  image.addText(`${GUEST_PROJECT}/deno.lock`, JSON.stringify(trimmed));
  image.addText(`${GUEST_PROJECT}/deno.json`, lines.filter((line) => !isOther(line)).join("\n"));
}

async function main(args: readonly string[]): Promise<number> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await installIfMissing(MACHINE.qemu, "qemu-system-arm");
  const deno = await prepareDeno();
  const system = `${FOLDER}/system`;
  console.log("arm: Debian's packages for aarch64 (about 110 MB to download, the first time)");
  await unpackOnce(system, PACKAGES, {
    wholeSystem: true,
    architecture: "arm64",
    without: ["./lib/modules", "./usr/lib/modules", "./usr/share/perl", "./usr/share/zoneinfo"],
  });
  const kernel = (await Array.fromAsync(Deno.readDir(`${system}/boot`)))
    .find(({ name }) => name.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new Error("the packages have no kernel");

  const tests = (await projectFiles())
    .filter((file) => TESTS.test(file))
    .filter((file) =>
      args.length === 0 ? !JUDGING.test(file) : args.some((word) => file.includes(word))
    );
  if (tests.length === 0) throw new Error(`no test file contains ${args.join(" or ")}`);

  const image = imageOfPackages(system, LEFT_OUT);
  image.addText("/etc/shadow", "root:*:::::::\n", { mode: 0o600 });
  image.addText("/etc/hosts", "127.0.0.1 localhost\n");
  const busybox = `${system}/bin/busybox`;
  const isServed = (file: string) => SERVED.test(file);
  await addProject(image, { deno, busybox, hands: [tests], isServed });
  await trimPackages(image);
  const file = `${FOLDER}/image-${Deno.pid}.cpio`;
  try {
    const size = await image.write(file);
    console.log(`arm: ${tests.length} test files, an image of ${Math.round(size / 2 ** 20)} MiB`);
    let isResult = false;
    const run = await runGuest({
      kernel: `${system}/boot/${kernel.name}`,
      initialRoot: file,
      accelerator: EMULATED,
      machine: MACHINE,
      kernelWords: ["quiet", "guest_index=0"],
      timeLimitMs: TIME_LIMIT_MS,
      onLine: (line) => {
        // What it hands out comes last.
        isResult ||= line.startsWith("BEGIN ");
        if (!isResult) console.log(`arm| ${withoutRepeat(line)}`);
      },
    });
    const reports = [...run.results.values()].map((report) => new TextDecoder().decode(report));
    const cases = reports.flatMap(parseJunit);
    const of = (outcome: string) => cases.filter((test) => test.outcome === outcome);
    for (const { name, file, reason } of of("skipped")) {
      console.log(`skipped: ${name} (${file}): ${reason ?? "NO REASON GIVEN"}`);
    }
    for (const { name, file } of of("failed")) console.log(`failed: ${name} (${file})`);
    const isComplete = reports.length === new Set(tests.map(isServed)).size;
    const problem = run.problem ?? (isComplete ? undefined : "the guest handed out no report");
    if (problem !== undefined) console.log(`failed: ${problem}`);
    const counts = ["passed", "failed", "skipped"].map((name) => `${of(name).length} ${name}`);
    console.log(`arm: ${counts.join(", ")} in ${Math.round(run.wallTimeMs / 1000)} s`);
    return of("failed").length === 0 && problem === undefined && cases.length > 0 ? 0 : 1;
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
