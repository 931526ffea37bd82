import { assertEquals, assertThrows } from "@std/assert";
import { defaultSettings } from "../../config/settings.ts";
import { boxPlaces } from "./paths.ts";

Deno.test("boxPlaces() derives the directory and the ids from the number of the box", () => {
  const settings = { ...defaultSettings(), boxRoot: "/srv/boxes", firstUid: 7000, firstGid: 8000 };
  assertEquals(boxPlaces(settings, 12), {
    boxId: 12,
    directory: "/srv/boxes/12",
    boxUser: { uid: 7012, gid: 8012, groups: [] },
  });
});

Deno.test("boxPlaces() takes the first and the last box and refuses all others", () => {
  const settings = { ...defaultSettings(), numBoxes: 3 };
  assertEquals(boxPlaces(settings, 0).boxId, 0);
  assertEquals(boxPlaces(settings, 2).boxId, 2);
  for (const boxId of [-1, 3, 1.5, NaN, Infinity, 2 ** 53]) {
    const message = "Sandbox ID out of range (allowed: 0-2)";
    assertThrows(() => boxPlaces(settings, boxId), RangeError, message);
  }
});
