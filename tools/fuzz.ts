/**
 * Damage by chance, longer than in the tests: `./dev fuzz service [SECONDS [SEED]]` lets hostile clients at
 * a service, `./dev fuzz shim [ROUNDS [SEED]]` executes damaged plans, `./dev fuzz walls [SECONDS [SEED]]`
 * runs programs that make random system calls, `./dev fuzz packages [SECONDS [SEED]]` judges hostile
 * packages, `./dev fuzz api [REQUESTS [SEED]]` sends requests to the execution server, and `./dev fuzz
 * parsers [INPUTS [SEED]]` reads damaged texts and plans.
 */

import { fuzzApi } from "../tests/support/api_fuzz.ts";
import { fuzzPackages } from "../tests/support/package_fuzz.ts";
import { fuzzParsers } from "../tests/support/parser_fuzz.ts";
import { fuzzProtocol } from "../tests/support/protocol_fuzz.ts";
import { fuzzWalls } from "../tests/support/wall_fuzz.ts";

const SECONDS = 600;
const ROUNDS = 3_000_000;
const ATTACK_SECONDS = 300;
const REQUESTS = 20_000;
const INPUTS = 10_000_000;
/** So much of the inputs are plans for the shim; the rest are texts. */
const PLAN_SHARE = 0.3;
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

function report({ harm, ...rest }: { readonly harm: readonly string[] }): boolean {
  console.log(JSON.stringify(rest));
  if (harm.length > 0) console.error(harm.join("\n"));
  return harm.length === 0;
}

async function fuzzTexts(inputs = INPUTS, seed = 1): Promise<boolean> {
  const plans = Math.ceil(inputs * PLAN_SHARE);
  const isFine = report(await fuzzParsers({ inputs: inputs - plans, seed }));
  return await fuzzShim(plans, seed) && isFine;
}

const [target = "", ...numbers] = Deno.args;
const targets: Readonly<Record<string, (amount?: number, seed?: number) => Promise<boolean>>> = {
  service: fuzzService,
  shim: fuzzShim,
  walls: async (seconds = ATTACK_SECONDS, seed = 1) => report(await fuzzWalls({ seconds, seed })),
  packages: async (seconds = ATTACK_SECONDS, seed = 1) =>
    report(await fuzzPackages({ seconds, seed })),
  api: async (requests = REQUESTS, seed = 1) =>
    report(await fuzzApi({ requests, seed, log: console.log })),
  parsers: fuzzTexts,
};
const fuzz = targets[target];
const given = numbers.map(Number);
if (
  !fuzz || given.length > 2 || !given.every((number) => Number.isSafeInteger(number) && number > 0)
) {
  console.error(
    "usage: ./dev fuzz service|walls|packages [SECONDS [SEED]] | shim [ROUNDS [SEED]] | " +
      "api [REQUESTS [SEED]] | parsers [INPUTS [SEED]]",
  );
  Deno.exit(2);
}
if (!await fuzz(...given)) Deno.exit(1);
