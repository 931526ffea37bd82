import { assert, assertEquals } from "@std/assert";

/**
 * `deno compile` appends what it packs to a runtime file, and takes any ELF file for one. That is
 * enough to see what is in the binary; whether it runs needs the real runtime.
 */
const STAND_IN = "/bin/true";

async function compileWithStandIn(output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("./dev", {
    args: ["compile", "--output", output],
    env: { DENO: Deno.execPath(), DENORT_BIN: STAND_IN },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

function includesBytes(haystack: Uint8Array, needle: Uint8Array): boolean {
  const latin1 = new TextDecoder("latin1");
  return latin1.decode(haystack).includes(latin1.decode(needle));
}

Deno.test("dev compile packs both shims unchanged and grants --allow-ffi alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "isolate-compile-" });
  try {
    await compileWithStandIn(`${folder}/isolate`);
    const binary = await Deno.readFile(`${folder}/isolate`);

    for (const arch of ["x86_64", "aarch64"]) {
      const shim = await Deno.readFile(`lib/libisolate-${arch}.so`);
      assert(includesBytes(binary, shim), `no ${arch} shim in the binary`);
    }

    const granted = /"permissions":(\{.*?\})/s.exec(new TextDecoder("latin1").decode(binary))?.[1];
    const permissions: Record<string, unknown> = JSON.parse(granted ?? "{}");
    const allowed = Object.keys(permissions)
      .filter((key) => key.startsWith("allow_") && permissions[key] !== null)
      // Imports of remote code are denied as a whole, which overrides its default list.
      .filter((key) => !(key === "allow_import" && Array.isArray(permissions["deny_import"])));
    assertEquals(allowed, ["allow_ffi"]);
    assertEquals(permissions["prompt"], false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
