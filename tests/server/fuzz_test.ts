/** The server under requests made by chance; `./dev fuzz api` sends more of them. */

import { assert, assertEquals } from "@std/assert";
import { fuzzApi, FUZZER_MODULES } from "isolate/tests/support/api_fuzz.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

testWith(
  [
    needs.root(),
    needs.command("python3"),
    needs.path(`${FUZZER_MODULES}/schemathesis`, "Schemathesis from PyPI"),
  ],
  "requests made by chance are answered as the OpenAPI document says",
  async () => {
    const { requests, jobs, harm } = await fuzzApi({ requests: 500, seed: 1 });
    assertEquals(harm, []);
    assert(requests >= 500 && jobs > 0, `${requests} requests, ${jobs} jobs`);
  },
);
