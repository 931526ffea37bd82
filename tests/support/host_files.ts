/** Files of the host that boxes must not change, and what of the keeper could lead to them. */

import { assertEquals } from "@std/assert";
import { isolate, sh, succeed, type TestBox } from "./isolate.ts";

const BESIDE_BOXES = "/var/local/lib";

/** What must stay as it is: owners, modes, kinds, link targets, contents. */
async function photograph(directory: string): Promise<string> {
  return await sh(
    `cd ${directory}; find . -printf '%p %y %m %u:%g %s %l\\n' | sort; cat target/file target/sub/file`,
  );
}

/** A directory of root's beside the boxes, on their file system. */
export async function withHostFiles(test: (host: string) => Promise<void>): Promise<void> {
  await Deno.mkdir(BESIDE_BOXES, { recursive: true });
  const host = await Deno.makeTempDir({ dir: BESIDE_BOXES, prefix: "isolate-test-" });
  try {
    await sh(`chmod 755 ${host}; mkdir -p ${host}/target/sub; chmod 755 ${host}/target
      echo content >${host}/target/file; echo content >${host}/target/sub/file
      chmod 644 ${host}/target/file; chmod 600 ${host}/target/sub/file`);
    const before = await photograph(host);
    await test(host);
    assertEquals(await photograph(host), before, "the host's files have changed");
  } finally {
    await Deno.remove(host, { recursive: true });
  }
}

/** Everything that walks through a box. */
export async function walkThrough(box: TestBox, options: readonly string[] = []): Promise<void> {
  const all = [`--box-id=${box.id}`, ...options];
  for (const more of [["--special-files"], []]) {
    const run = await isolate([...all, ...more, "-p", "--run", "--", "/bin/true"]);
    assertEquals(run.code, 0, run.stderr);
  }
  await succeed([...all, "--init"]);
  await succeed([...all, "--cleanup"]);
}
