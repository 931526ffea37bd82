/**
 * Damage by chance, longer than in the tests: `./dev fuzz service [SECONDS [SEED]]` lets hostile clients at
 * a service, `./dev fuzz shim [ROUNDS [SEED]]` executes damaged plans.
 */

import { fuzzProtocol } from "../tests/support/protocol_fuzz.ts";

const SECONDS = 600;
const ROUNDS = 3_000_000;
const WARM_UP_SECONDS = 20;

async function fuzzService(seconds = SECONDS, seed = 1): Promise<boolean> {
  const { harm } = await fuzzProtocol({
    seconds,
    seed,
    warmUpSeconds: Math.min(WARM_UP_SECONDS, seconds),
    onSlice: ({ sessions, packets, damaged, descriptors, residentKb }, passed) =>
      console.log(
        `${passed} s: ${sessions} sessions, ${packets} packets, ${damaged} of them damaged, ` +
          `${descriptors} descriptors; the service has ${residentKb[1]} kB`,
      ),
  });
  if (harm.length > 0) console.error(harm.join("\n"));
  return harm.length === 0;
}

async function fuzzShim(rounds = ROUNDS, seed = 1): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--allow-all",
      "--no-check",
      new URL("../tests/fuzz_test.ts", import.meta.url).pathname,
    ],
    env: { ISOLATE_FUZZ_ROUNDS: `${rounds}`, ISOLATE_FUZZ_SEED: `${seed}` },
  }).spawn().status;
  return success;
}

const [target = "", ...numbers] = Deno.args;
const targets: Readonly<Record<string, (amount?: number, seed?: number) => Promise<boolean>>> = {
  service: fuzzService,
  shim: fuzzShim,
};
const fuzz = targets[target];
const given = numbers.map(Number);
if (
  !fuzz || given.length > 2 || !given.every((number) => Number.isSafeInteger(number) && number > 0)
) {
  console.error("usage: ./dev fuzz service [SECONDS [SEED]] | shim [ROUNDS [SEED]]");
  Deno.exit(2);
}
if (!await fuzz(...given)) Deno.exit(1);
