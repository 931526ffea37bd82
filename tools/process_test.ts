import { assertEquals, assertRejects } from "@std/assert";
import { output, withFolder } from "./process.ts";

Deno.test("output() names the program and its complaint when it fails", async () => {
  const command = ["sh", "-c", "echo no luck >&2; exit 3"];
  await assertRejects(() => output(command), Error, "exit 3: no luck");
  await assertRejects(() => output(["false"]), Error, "false: failed");
});

Deno.test("withFolder() removes the folder, whatever happens", async () => {
  let path = "";
  await assertRejects(() =>
    withFolder((folder) => {
      path = folder;
      Deno.writeTextFileSync(`${folder}/file`, "");
      throw new Error("no luck");
    })
  );
  assertEquals(await Deno.stat(path).catch(() => undefined), undefined);
});
