/** The benchmark of control groups on another kernel, with version 2, in a virtual machine. */

import { chooseAccelerator } from "../tools/vm/accelerator.ts";
import { runGuest } from "../tools/vm/guest.ts";
import { makeCgroup2Image } from "../tools/vm/images.ts";
import { ROOT } from "../tools/process.ts";
import { prepareKernel } from "../tools/vm/kernel.ts";
import type { Row } from "./measure.ts";

const TIME_LIMIT_MS = 600_000;

/** Needs no network: Deno finds everything in its cache. */
const SCRIPT =
  "deno run --allow-all --no-check --cached-only bench/bench.ts --json cgroup > /vm/results/rows";

async function measureIn(initialRoot: string): Promise<Row[]> {
  const folder = `${ROOT}/.tools/vm`;
  const kernel = await prepareKernel(folder);
  const accelerator = await chooseAccelerator(folder, { kernel: kernel.image });
  const image = await makeCgroup2Image({ kernel, hands: [], script: SCRIPT });
  await image.write(initialRoot);
  const run = await runGuest({
    kernel: kernel.image,
    initialRoot,
    accelerator,
    kernelWords: ["quiet"],
    timeLimitMs: TIME_LIMIT_MS,
  });
  const rows = run.results.get("rows");
  if (rows === undefined || run.problem !== undefined) {
    throw new Error(
      `${run.problem ?? "the guest handed out no rows"}: ${run.console.slice(-2000)}`,
    );
  }
  const how = accelerator.name === "kvm" ? "" : " (emulated)";
  return (JSON.parse(new TextDecoder().decode(rows)) as Row[]).map((row) => {
    const { goal, ...rest } = row;
    const what = `cgroup v2 guest${how}: ${row.what}`;
    // How long something takes in an emulator says nothing about the kernel.
    const isMeaningful = goal !== undefined && (row.unit === "%" || accelerator.name === "kvm");
    return { ...rest, what, ...isMeaningful ? { goal } : {} };
  });
}

/** Measures control groups on another kernel. */
export async function measureGuest(): Promise<Row[]> {
  const initialRoot = await Deno.makeTempFile({ prefix: "isolate-guest-", suffix: ".cpio" });
  try {
    return await measureIn(initialRoot);
  } catch (error) {
    console.error(`no guest: ${error instanceof Error ? error.message : error}`);
    return [];
  } finally {
    await Deno.remove(initialRoot);
  }
}
