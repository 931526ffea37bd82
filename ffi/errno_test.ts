import { ERRNO, ERRNO_TABLE, errnoName, errnoText } from "isolate/ffi/errno.ts";
import { assert, assertEquals } from "@std/assert";
import { needs, testWith } from "isolate/tests/support/skip.ts";

Deno.test("errnoName() names an errno of the table", () => {
  assertEquals(errnoName(2), "ENOENT");
  assertEquals(errnoName(122), "EDQUOT");
});

Deno.test("errnoName() gives the number of one that is not in the table", () => {
  assertEquals(errnoName(4000), "errno 4000");
});

Deno.test("errnoText() uses the words of strerror(3)", () => {
  assertEquals(errnoText(13), "Permission denied");
});

Deno.test("errnoText() gives the number of one that is not in the table", () => {
  assertEquals(errnoText(4000), "Error 4000");
});

Deno.test("ERRNO has every number of the table once", () => {
  const numbers = Object.values(ERRNO);
  assertEquals(numbers.length, ERRNO_TABLE.length);
  assertEquals(new Set(numbers).size, numbers.length);
  // The shim has one byte for the errno that a step may ignore.
  assert(numbers.every((errno) => errno > 0 && errno < 256));
});

testWith(
  [needs.command("python3")],
  "the table has the names and words of the C library",
  async () => {
    const script =
      "import errno, os, json; print(json.dumps([[n, e, os.strerror(n)] for n, e in errno.errorcode.items()]))";
    const { stdout } = await new Deno.Command("python3", {
      args: ["-c", script],
      env: { LC_ALL: "C" },
    }).output();
    const known = new Map<number, [number, string, string]>(
      JSON.parse(new TextDecoder().decode(stdout)).map((
        entry: [number, string, string],
      ) => [entry[0], entry]),
    );
    // Python knows it by its older name.
    const names: Record<string, string> = { EOPNOTSUPP: "ENOTSUP" };
    for (const [number, name, words] of ERRNO_TABLE) {
      const entry = known.get(number);
      assert(entry !== undefined, `there is no errno ${number}`);
      assert(entry[1] === name || entry[1] === names[name], `${number} is ${entry[1]}`);
      assertEquals(entry[2], words);
    }
  },
);
