/** What makes one run of a program faster than the next: the processor's own ideas. */

import type { Machine } from "./machine.ts";
import { caution, command, fail, type Finding, pass, skip, write } from "./types.ts";

const CPUS = "/sys/devices/system/cpu";

function cpus(machine: Machine): string[] {
  const numbers = machine.list(CPUS).flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? []);
  return numbers.sort((a, b) => Number(a) - Number(b)).map((number) => `${CPUS}/cpu${number}`);
}

/** Reads a file of each CPU that has it. */
function ofEach(machine: Machine, file: string): { path: string; value: string }[] {
  return cpus(machine).flatMap((cpu) => {
    const path = `${cpu}/${file}`;
    const value = machine.read(path);
    return value === undefined ? [] : [{ path, value }];
  });
}

/** Checks for threads that share a core: they slow each other down. */
export function examineThreads(machine: Machine): Finding {
  const active = machine.read(`${CPUS}/smt/active`);
  if (active === undefined) return skip("the kernel does not say whether cores run two threads");
  if (active === "0") return pass("each core runs one thread");
  return fail(
    "cores run two threads at once (SMT), which slow each other down",
    write(`${CPUS}/smt/control`, "off"),
  );
}

/** Checks for governors that change the clock with the load. */
export function examineGovernor(machine: Machine): Finding {
  const governors = ofEach(machine, "cpufreq/scaling_governor");
  if (governors.length === 0) return skip("this kernel does not control the clock of the CPUs");
  const others = governors.filter(({ value }) => value !== "performance");
  if (others.length === 0) return pass("the CPUs run at full clock (governor performance)");
  const names = [...new Set(others.map(({ value }) => value))].join(", ");
  return fail(
    `the clock of ${others.length} of ${governors.length} CPUs follows the load (governor ${names})`,
    ...others.map(({ path }) => write(path, "performance")),
  );
}

/** Checks for the turbo clock, which depends on heat and on other cores. */
export function examineTurbo(machine: Machine): Finding {
  const switches = [
    { path: `${CPUS}/intel_pstate/no_turbo`, off: "1" },
    { path: `${CPUS}/cpufreq/boost`, off: "0" },
    ...ofEach(machine, "cpufreq/boost").map(({ path }) => ({ path, off: "0" })),
  ].flatMap(({ path, off }) => {
    const value = machine.read(path);
    return value === undefined ? [] : [{ path, off, isOn: value !== off }];
  });
  if (switches.length === 0) return skip("there is no switch for the turbo clock");
  const on = switches.filter(({ isOn }) => isOn);
  if (on.length === 0) return pass("the turbo clock is off");
  return fail(
    "the turbo clock is on: the speed depends on heat and on other cores",
    ...on.map(({ path, off }) => write(path, off)),
  );
}

/** Checks that all cores are the same. */
export function examineCores(machine: Machine): Finding {
  const kinds = machine.list("/sys/devices").filter((name) =>
    /^cpu_(core|atom|lowpower)$/.test(name)
  );
  const spread = ["cpu_capacity", "cpufreq/cpuinfo_max_freq"]
    .some((file) => new Set(ofEach(machine, file).map(({ value }) => value)).size > 1);
  if (kinds.length < 2 && !spread) return pass("all cores are of one kind");
  const lists = kinds.flatMap((kind) => {
    const list = machine.read(`/sys/devices/${kind}/cpus`);
    return list === undefined ? [] : [`${list} (${kind.replace("cpu_", "")})`];
  });
  const which = lists.length > 0 ? `: CPUs ${lists.join(", ")}` : "";
  return caution(
    `there are faster and slower cores${which}`,
    command("# give boxes cores of one kind: boxN.cpus in the configuration, with --cg"),
  );
}
