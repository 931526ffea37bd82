import { assertEquals, assertThrows } from "@std/assert";
import { parseClassicConfig } from "./classic.ts";
import { FileError } from "../text/errors.ts";
import { findSubordinateIds, withSubordinateIds } from "./subordinate_ids.ts";

function find(subuid: string, subgid = subuid) {
  return findSubordinateIds("judge", { subuid, subgid });
}

Deno.test("findSubordinateIds() takes the first range of the user", () => {
  const text = "root:100000:65536\njudge:165536:65536\njudge:300000:10\njudge2:1:1\n";
  assertEquals(find(text), { firstUid: 165536, firstGid: 165536, numBoxes: 65536 });
});

Deno.test("findSubordinateIds() counts by the smaller range", () => {
  const expected = { firstUid: 1000, firstGid: 2000, numBoxes: 5 };
  assertEquals(find("judge:1000:5", "judge:2000:9"), expected);
  assertEquals(find("judge:1000:9", "judge:2000:5"), expected);
});

Deno.test("findSubordinateIds() counts no more boxes than there are box ids", () => {
  const ids = find("judge:1000:4000000000");
  assertEquals("numBoxes" in ids && ids.numBoxes, 2147483648);
});

Deno.test("findSubordinateIds() names the file without a range", () => {
  assertEquals(find("", "judge:1:1"), { missingIn: "/etc/subuid" });
  assertEquals(find("judge:1:1", "# judge:1:1\njudges:1:1"), { missingIn: "/etc/subgid" });
});

Deno.test("findSubordinateIds() ignores the lines of others", () => {
  const text = "rubbish\n\nother:x:y\njudge:1000:5\njudge:broken\n";
  assertEquals(find(text), { firstUid: 1000, firstGid: 1000, numBoxes: 5 });
});

Deno.test("findSubordinateIds() refuses malformed lines of the user", () => {
  for (const line of ["judge", "judge:5", "judge:5:", "judge:x:5", "judge:-5:5", "judge:1:2:3"]) {
    assertThrows(
      () => find(`root:1:1\n${line}\n`),
      FileError,
      "/etc/subuid:2: expected USER:FIRST:COUNT",
    );
  }
});

Deno.test("findSubordinateIds() refuses ids that boxes cannot have", () => {
  for (const range of ["0:10", "5:0", "4294967295:1", "4294967290:6", "1:99999999999"]) {
    assertThrows(
      () => find("judge:1000:5", `judge:${range}`),
      FileError,
      "/etc/subgid:1: ids for boxes must be from 1 to 4294967294",
    );
  }
  assertEquals(find("judge:4294967290:5"), {
    firstUid: 4294967290,
    firstGid: 4294967290,
    numBoxes: 5,
  });
});

Deno.test("withSubordinateIds() replaces the ids of the configuration", () => {
  const config = parseClassicConfig("box_root = /srv\nsubid_user = judge", "/etc/isolate");
  const files = { subuid: "judge:1000:5", subgid: "judge:2000:5" };
  assertEquals(withSubordinateIds(config, files), {
    ...config.settings,
    firstUid: 1000,
    firstGid: 2000,
    numBoxes: 5,
  });
});

Deno.test("withSubordinateIds() leaves a configuration without subid_user alone", () => {
  const config = parseClassicConfig("num_boxes = 7", "/etc/isolate");
  assertEquals(withSubordinateIds(config, { subuid: "", subgid: "" }), config.settings);
});

Deno.test("withSubordinateIds() names the line of subid_user when the user has no ids", () => {
  const config = parseClassicConfig("\nsubid_user = judge", "/etc/isolate");
  assertThrows(
    () => withSubordinateIds(config, { subuid: "judge:1:1", subgid: "" }),
    FileError,
    "/etc/isolate:2: subid_user: 'judge' has no ids in /etc/subgid",
  );
});
