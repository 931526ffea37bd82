/** Programs with an address of their own, which try to change their network. */

import { assertEquals } from "@std/assert";
import { assertDenied, attack } from "../support/attack.ts";
import { withBox, withScratch } from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

testWith(
  [needs.command("ip")],
  "a program cannot change its interface, addresses and routes, not even as root inside",
  async () => {
    await withScratch(async (scratch) => {
      const config = `${scratch}/config`;
      await Deno.writeTextFile(config, `bridge = iso-test1\nlock_root = ${scratch}/locks\n`);
      await withBox(226, async (box) => {
        const options = ["-p", "--address=10.213.78.5/24"];
        for (const more of [[], ["--root-inside"]]) {
          assertDenied(await attack(box, ["own_network", "change"], [...options, ...more]), 14);
        }
        assertEquals(
          await box.sh("ip -o addr show eth0 | tr -s ' ' | cut -d' ' -f4", options),
          "10.213.78.5/24\n",
        );
      }, { options: [`--config=${config}`] });
    });
  },
);
