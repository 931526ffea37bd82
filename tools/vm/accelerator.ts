/** How qemu runs a guest's processors: with KVM where a guest really boots with it, else with TCG. */

import { output, ROOT } from "../process.ts";
import { type Accelerator, runGuest } from "./guest.ts";

const KVM: Accelerator = {
  name: "kvm",
  qemuWords: ["-accel", "kvm", "-cpu", "host"],
  kernelWords: [],
};

/**
 * Each of these halves the guest's time, or better: an old processor has fewer instructions to
 * emulate (those of AVX are slow), reading the HPET means calling a device, and translated code is
 * found again only if the same program lies at the same addresses.
 */
const TCG: Accelerator = {
  name: "tcg",
  qemuWords: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "Nehalem"],
  // On a busy machine the kernel finds no timer where it tries it, and may give up.
  kernelWords: ["tsc=reliable", "clocksource=tsc", "norandmaps", "no_timer_check"],
};

/**
 * Tells the guest the frequency of its time stamp counter, which is this machine's. On a busy
 * machine a guest measures it wrong by a factor of up to ten, and then its clocks run fast.
 */
async function emulate(folder: string): Promise<Accelerator> {
  const program = `${folder}/tsc`;
  // Another run may be executing the old program.
  const fresh = `${program}.${Deno.pid}`;
  await output(["gcc", "-O1", "-o", fresh, `${ROOT}/tools/vm/tsc.c`]);
  await Deno.rename(fresh, program);
  const frequencyKhz = (await output([program])).trim();
  return { ...TCG, kernelWords: [...TCG.kernelWords, `tsc_early_khz=${frequencyKhz}`] };
}

/** A guest that boots panics within half a second if it has no root. */
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
 * Picks the accelerator. That /dev/kvm exists says little, least of all in a virtual machine: this
 * tries a guest, once for each boot of this machine.
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
