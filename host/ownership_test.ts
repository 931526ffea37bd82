import { assertEquals } from "@std/assert";
import { isEmptied, type OwnedDirectory } from "./ownership.ts";

const [OWNER, PROGRAM, OTHER] = [7000, 60000, 8000];
const OWNERSHIP = { owner: OWNER, others: [PROGRAM], path: "/boxes/0", placeDepth: 1 };

function emptied(directory: OwnedDirectory, { above, depth = 2 }: {
  above?: OwnedDirectory;
  depth?: number;
} = {}): boolean {
  return isEmptied(OWNERSHIP, { ...directory, above, depth });
}

const own = (mode: number) => ({ uid: OWNER, mode });
const roots = (mode: number) => ({ uid: 0, mode });

Deno.test("directories of the owner and of the program are emptied, whatever their modes are", () => {
  for (const mode of [0o700, 0o755, 0o777, 0o1777]) {
    for (const uid of [OWNER, PROGRAM]) {
      assertEquals(emptied({ uid, mode }, { above: roots(0o777) }), true);
      assertEquals(emptied({ uid, mode }), true);
    }
  }
});

Deno.test("a directory that came with one of the owner's is left to whom it belongs", () => {
  for (const mode of [0o700, 0o755, 0o775, 0o1777]) {
    assertEquals(emptied(roots(mode), { above: own(0o755) }), false);
    assertEquals(emptied({ uid: OTHER, mode }, { above: own(0o755) }), false);
  }
  assertEquals(emptied(roots(0o755)), false);
});

Deno.test("a directory that everybody could empty is emptied", () => {
  assertEquals(emptied(roots(0o777), { above: own(0o755) }), true);
  // But not what is in it, which may have come with it.
  assertEquals(emptied(roots(0o755), { above: roots(0o777) }), false);
});

Deno.test("a directory that nobody but root can have put into the box is emptied, with all below it", () => {
  assertEquals(emptied(roots(0o755), { above: own(0o700), depth: 1 }), true);
  assertEquals(emptied({ uid: OTHER, mode: 0o755 }, { above: own(0o700), depth: 1 }), true);
  assertEquals(emptied(roots(0o755), { above: roots(0o755) }), true);
  // These the owner may have moved there, by the rights of a group or an access list.
  assertEquals(emptied(roots(0o775), { above: own(0o700), depth: 1 }), false);
  assertEquals(emptied(roots(0o1777), { above: own(0o700), depth: 1 }), false);
  assertEquals(emptied(roots(0o755), { above: roots(0o775) }), false);
  assertEquals(emptied(roots(0o755), { above: { uid: OTHER, mode: 0o755 } }), false);
});
