/** Many runs through a service, and what is left of them: `./dev soak [RUNS]`. */

import { type Holdings, soak } from "../tests/support/soak.ts";

const RUNS = 100_000;
const SLICE = 1000;
const WARM_UP = 2000;
const SLABS_SHOWN = 25;

function describe({ slabs: _, ...rest }: Holdings): string {
  return Object.entries(rest).map(([name, value]) => `${name} ${value}`).join(", ");
}

const runs = Number(Deno.args[0] ?? RUNS);
const warmUp = Math.min(WARM_UP, runs);
console.log(`${warmUp} runs to warm up`);
const { seconds, failures, before, after } = await soak(runs, {
  warmUp,
  slice: SLICE,
  onSlice: ({ done, perSecond, now }) => {
    const rate = done > 0 ? `${perSecond.toFixed(0)} a second, ` : "";
    console.log(`${done} runs: ${rate}${describe(now)}`);
  },
});
console.log(`${runs} runs in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(0)} a second`);
if (failures) console.log(failures);
console.log(`before: ${describe(before)}`);
console.log(`after: ${describe(after)}`);
const growth = [...after.slabs].map(([name, count]) => ({
  name,
  count: count - (before.slabs.get(name) ?? 0),
})).sort((a, b) => b.count - a.count);
console.log("slabs that have grown most, in objects:");
for (const { name, count } of growth.slice(0, SLABS_SHOWN)) {
  if (count > 0) console.log(`  ${name}: ${count}, ${(count / runs).toFixed(4)} a run`);
}
