/** Damaged plans for the shim, hostile clients for the service: `./dev fuzz [shim|service] [SECONDS] [SEED]`. */

import { fuzzProtocol } from "../tests/support/protocol_fuzz.ts";

const SECONDS = 600;

const [seconds, seed] = [Number(Deno.args[0] ?? SECONDS), Number(Deno.args[1] ?? 1)];
const report = await fuzzProtocol({
  seconds,
  seed,
  warmUpSeconds: Math.min(10, seconds),
  onSlice: ({ sessions, packets, damaged, descriptors, residentKb }, passed) =>
    console.log(
      `${passed} s: ${sessions} sessions, ${packets} packets, ${damaged} damaged, ` +
        `${descriptors} descriptors; the service has ${residentKb[1]} kB`,
    ),
});
if (report.harm.length > 0) {
  console.error(report.harm.join("\n"));
  Deno.exit(1);
}
