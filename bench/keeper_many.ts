/**
 * Sleeps in many boxes at once, for `keeper.ts`.
 *
 * usage: keeper_many.ts BOX_ID…
 */

import { Box } from "../mod.ts";

if (import.meta.main) {
  await Promise.all(Deno.args.map(async (id) => {
    await using box = await Box.init({ boxId: Number(id) });
    await box.run(["/bin/sleep", "1.5"]);
  }));
}
