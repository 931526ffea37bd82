/** How qemu runs the guest's processors: by KVM where a guest really boots with it, else by TCG. */

import { output } from "./debian.ts";
import { type Accelerator, runGuest } from "./guest.ts";

const KVM: Accelerator = {
  name: "kvm",
  qemuWords: ["-accel", "kvm", "-cpu", "host"],
  kernelWords: [],
};

/**
 * Each line halves the time that the guest needs, or better: an old processor has fewer
 * instructions to emulate (those of AVX are slow), the HPET is a device and not an instruction,
 * and translated code is found again only where the same program stands at the same addresses.
 */
const TCG: Accelerator = {
  name: "tcg",
  qemuWords: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "Nehalem"],
  kernelWords: ["tsc=reliable", "clocksource=tsc", "norandmaps"],
};

/**
 * The guest's time stamp counter is this machine's. While this machine is busy the guest finds its
 * frequency wrong by a factor of up to ten, and then its clocks run fast: it has to be told.
 */
async function emulate(folder: string): Promise<Accelerator> {
  const program = `${folder}/tsc`;
  const source = new URL("tsc.c", import.meta.url).pathname;
  // Another run may be executing the one that is there.
  const fresh = `${program}.${Deno.pid}`;
  await output(["gcc", "-O1", "-o", fresh, source]);
  await Deno.rename(fresh, program);
  const frequencyKhz = (await output([program])).trim();
  return { ...TCG, kernelWords: [...TCG.kernelWords, `tsc_early_khz=${frequencyKhz}`] };
}

/** A guest without a root panics within half a second, if it boots at all. */
const PROBE_TIME_LIMIT_MS = 3000;

async function bootsWithKvm(kernel: string, initialRoot: string): Promise<boolean> {
  const run = await runGuest({
    kernel,
    initialRoot,
    accelerator: KVM,
    memoryMib: 256,
    timeLimitMs: PROBE_TIME_LIMIT_MS,
  });
  return run.console.includes("Kernel panic - not syncing");
}

/**
 * Picks the accelerator. That /dev/kvm exists says little, in a virtual machine least of all: the
 * guest is tried, once for each boot of this machine.
 */
export async function chooseAccelerator(
  folder: string,
  { kernel }: { kernel: string },
): Promise<Accelerator> {
  const usable = await Deno.open("/dev/kvm", { read: true, write: true }).catch(() => undefined);
  if (usable === undefined) return await emulate(folder);
  usable.close();
  const boot = (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
  const memory = `${folder}/accelerator`;
  const [knownBoot, known] = (await Deno.readTextFile(memory).catch(() => "")).split("\n");
  if (knownBoot === boot) return known === "kvm" ? KVM : await emulate(folder);
  const empty = await Deno.makeTempFile({ prefix: "isolate-guest-" });
  try {
    const choice = await bootsWithKvm(kernel, empty) ? KVM : await emulate(folder);
    await Deno.writeTextFile(memory, `${boot}\n${choice.name}\n`);
    return choice;
  } finally {
    await Deno.remove(empty);
  }
}
