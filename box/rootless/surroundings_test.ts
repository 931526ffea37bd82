import { assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../host/errors.ts";
import { parseIdMap } from "./id_maps.ts";
import { refuseUnmapped, rootlessSettings } from "./surroundings.ts";

const MANY = parseIdMap("0 7400 1\n60000 700000 20");
const ONE = parseIdMap("0 7400 1");

function settingsOf(variables: Record<string, string>, map = MANY, canChangeGroups = true) {
  const environment = new Map(Object.entries(variables));
  return rootlessSettings({ environment, uids: map, gids: map, canChangeGroups });
}

Deno.test("boxes and locks of an ordinary user lie below one directory of the user", () => {
  const places = (variables: Record<string, string>) => {
    const { boxRoot, lockRoot } = settingsOf(variables);
    return [boxRoot, lockRoot];
  };
  assertEquals(places({ HOME: "/home/eva" }), [
    "/home/eva/.local/state/isolate/boxes",
    "/home/eva/.local/state/isolate/locks",
  ]);
  const set = { HOME: "/home/eva", XDG_STATE_HOME: "/srv/state/", XDG_RUNTIME_DIR: "/run/user/7" };
  assertEquals(places(set), ["/srv/state/isolate/boxes", "/srv/state/isolate/locks"]);
  assertEquals(places({ XDG_RUNTIME_DIR: "/run/user/7" })[0], "/run/user/7/isolate/boxes");
});

Deno.test("a relative path in the environment counts as none", () => {
  const variables = { HOME: "/home/eva", XDG_STATE_HOME: "state" };
  assertEquals(settingsOf(variables).boxRoot, "/home/eva/.local/state/isolate/boxes");
  for (const variables of [{}, { HOME: "" }, { HOME: "home" }]) {
    const error = assertThrows(() => settingsOf(variables), SandboxError);
    assertEquals(error.kind, "bad-option");
  }
});

Deno.test("there are as many boxes as there are ids, or one user for all of them", () => {
  const home = { HOME: "/home/eva" };
  const { firstUid, firstGid, numBoxes, hasOneUser } = settingsOf(home);
  assertEquals([firstUid, firstGid, numBoxes, hasOneUser], [60000, 60000, 20, undefined]);
  assertEquals(settingsOf(home, ONE).hasOneUser, true);
  assertEquals(settingsOf(home, ONE).numBoxes, 1000);
  // Where groups cannot be changed a program would keep those of the caller.
  assertEquals(settingsOf(home, MANY, false).hasOneUser, true);
});

Deno.test("a box whose user or group does not exist in the user namespace is refused, and says why", () => {
  const contained = {
    canMountProc: true,
    keepsMounts: false,
    uids: MANY,
    gids: parseIdMap("0 1 9"),
  };
  const boxOf = (uid: number, gid: number) => ({ boxId: 7, boxUser: { uid, gid, groups: [] } });
  refuseUnmapped(contained, boxOf(60000, 8));
  refuseUnmapped(contained, boxOf(60019, 0));
  const uid = assertThrows(() => refuseUnmapped(contained, boxOf(60020, 8)), SandboxError);
  assertEquals(
    uid.message,
    "Box 7 cannot have the user 60020 (first_uid in the configuration): in this user namespace " +
      "there are 0 to 0, 60000 to 60019",
  );
  const gid = assertThrows(() => refuseUnmapped(contained, boxOf(60000, 9)), SandboxError);
  assertEquals(gid.message.startsWith("Box 7 cannot have the group 9 (first_gid"), true);
});
