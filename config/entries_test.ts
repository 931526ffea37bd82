import { defaultSettings, describeSettings } from "./settings.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { settingsFromEntries } from "./entries.ts";
import { FileError } from "../text/errors.ts";
import type { Settings } from "./settings.ts";

const FILE = "/etc/isolate";

/** Each entry is on the line that is its place in the object, counted from 1. */
function parse(values: { [key: string]: string }) {
  const entries = Object.entries(values).map(([key, value], index) => ({
    key,
    value,
    line: index + 1,
  }));
  return settingsFromEntries(entries, FILE);
}

function settings(values: { [key: string]: string }): Settings {
  return parse(values).settings;
}

function assertRefused(values: { [key: string]: string }, line: number, reason: string) {
  const error = assertThrows(() => parse(values), FileError);
  assertEquals(error.message.slice(0, `${FILE}:${line}: `.length), `${FILE}:${line}: `);
  assertEquals(error.message.includes(reason), true, error.message);
}

Deno.test("settingsFromEntries() takes every key", () => {
  assertEquals(
    settings({
      box_root: "/srv/boxes",
      lock_root: "/srv/locks",
      cg_root: "/sys/fs/cgroup/isolate",
      first_uid: "100000",
      first_gid: "200000",
      num_boxes: "50",
      restricted_init: "1",
      syscall_flags: "15",
      "box0.cpus": "0-3",
      "box0.mems": "0",
      "box12.cpus": "5",
    }),
    {
      boxRoot: "/srv/boxes",
      lockRoot: "/srv/locks",
      cgRoot: { kind: "directory", directory: "/sys/fs/cgroup/isolate" },
      firstUid: 100000,
      firstGid: 200000,
      numBoxes: 50,
      restrictedInit: true,
      syscallFlags: 15,
      perBox: new Map([[0, { cpus: "0-3", mems: "0" }], [12, { cpus: "5" }]]),
      network: defaultSettings().network,
      service: defaultSettings().service,
    },
  );
});

Deno.test("settingsFromEntries() reads which addresses boxes may have", () => {
  const entries = {
    bridge: "br-boxes",
    bridge_address: "10.77.0.1/24, fd77::1/64",
    bridge_gateway: "10.77.0.1",
    bridge_isolated: "0",
    address_pool: "10.77.0.0/25",
    "address_user.judge": "10.77.0.128/26,fd77::/64",
    "address_group.5": "10.77.0.192/26",
  };
  const { network } = settings(entries);
  assertEquals([network.bridge, network.isIsolated], ["br-boxes", false]);
  assertEquals(network.grants.map(({ kind, name }) => `${kind} ${name}`), [
    "user judge",
    "group 5",
  ]);
  const { service: _service, ...written } = Object.fromEntries(
    describeSettings(settings(entries)).trim().split("\n").map((line) => line.split(" = ")),
  );
  for (const [key, value] of Object.entries(entries)) {
    assertEquals(written[key], value.replace(/,(?=\S)/, ", "), key);
  }
});

Deno.test("settingsFromEntries() refuses what are no networks, addresses and names of bridges", () => {
  const wrong: [string, string, string][] = [
    ["bridge", "a/b", "bridge must be up to 15 letters"],
    ["bridge", "abcdefghijklmnop", "bridge must be up to 15 letters"],
    ["bridge_address", "10.77.0.1", "bridge_address must be a list of networks"],
    ["bridge_gateway", "10.77.0.1/24", "bridge_gateway must be a list of addresses"],
    ["bridge_isolated", "maybe", "bridge_isolated must be 0 or 1"],
    ["address_pool", "10.77.0.0/24,", "address_pool must be a list of networks"],
    ["address_user.judge", "all", "address_user.judge must be a list of networks"],
  ];
  for (const [key, value, reason] of wrong) assertRefused({ [key]: value }, 1, reason);
});

Deno.test("settingsFromEntries() refuses unknown keys", () => {
  const keys = ["boxroot", "BOX_ROOT", "toString", "__proto__", "box.cpus", "box1.color"];
  for (const key of [...keys, "box01.cpus", "box-1.cpus", "xbox1.cpus", "boxN.cpus"]) {
    assertRefused(Object.fromEntries([["num_boxes", "5"], [key, "1"]]), 2, `unknown key '${key}'`);
  }
});

Deno.test("settingsFromEntries() names the new key for a key of version 1", () => {
  assertRefused(
    { cg_root: "/sys/fs/cgroup", cg_parent: "boxes" },
    2,
    "/sys/fs/cgroup/memory/boxes",
  );
});

Deno.test("settingsFromEntries() refuses a duplicate key", () => {
  const entries = [
    { key: "num_boxes", value: "5", line: 2 },
    { key: "num_boxes", value: "5", line: 9 },
  ];
  assertThrows(
    () => settingsFromEntries(entries, FILE),
    FileError,
    "/etc/isolate:9: num_boxes comes twice, first on line 2",
  );
});

Deno.test("settingsFromEntries() refuses empty values and NUL bytes", () => {
  for (const key of ["box_root", "cg_root", "num_boxes", "subid_user", "box0.cpus"]) {
    assertRefused({ [key]: "" }, 1, `${key} has no value`);
  }
  assertRefused({ box_root: "/a\0b" }, 1, "NUL");
});

Deno.test("settingsFromEntries() refuses relative roots", () => {
  for (const key of ["box_root", "lock_root", "cg_root"]) {
    for (const value of ["boxes", "./boxes", "../boxes", "~/boxes"]) {
      assertRefused({ [key]: value }, 1, "absolute path");
    }
  }
});

Deno.test("settingsFromEntries() drops slashes at the end of a path", () => {
  assertEquals(settings({ box_root: "/srv/boxes//" }).boxRoot, "/srv/boxes");
  assertEquals(settings({ box_root: "/" }).boxRoot, "/");
});

Deno.test("settingsFromEntries() knows the forms of cg_root", () => {
  assertEquals(settings({ cg_root: "auto" }).cgRoot, { kind: "auto" });
  assertEquals(settings({ cg_root: "auto:/run/cg" }).cgRoot, { kind: "fromFile", file: "/run/cg" });
  for (const value of ["auto:", "auto:run/cg", "automatic"]) {
    assertRefused({ cg_root: value }, 1, "cg_root must be");
  }
});

Deno.test("settingsFromEntries() refuses bad numbers", () => {
  for (const key of ["num_boxes", "syscall_flags"]) {
    for (const value of ["x", "1k", "0x10", "-1", "1.5", "1e3", "1 000", "+1"]) {
      assertRefused({ [key]: value }, 1, `${key} must be a whole number`);
    }
  }
});

Deno.test("settingsFromEntries() refuses the id of root, and the id that means no user", () => {
  for (const value of ["0", "4294967295", "99999999999999999999999"]) {
    assertRefused({ first_uid: value, first_gid: "1000" }, 1, "first_uid must be from 1 to");
    assertRefused({ first_uid: "1000", first_gid: value }, 2, "first_gid must be from 1 to");
  }
});

Deno.test("settingsFromEntries() refuses a range of ids that is too long", () => {
  const fits = { first_uid: "4294966295", first_gid: "1000", num_boxes: "1000" };
  assertEquals(settings(fits).firstUid, 4294966295);
  assertRefused({ ...fits, num_boxes: "1001" }, 1, "leaves no room for 1001 boxes");
  assertRefused({ ...fits, first_uid: "5", first_gid: "4294967294" }, 2, "first_gid 4294967294");
});

Deno.test("settingsFromEntries() takes as many boxes as there are box ids", () => {
  assertEquals(settings({ num_boxes: "2147483647" }).numBoxes, 2147483647);
  assertEquals(settings({ num_boxes: "2147483648" }).numBoxes, 2147483648);
  assertRefused({ num_boxes: "2147483649" }, 1, "num_boxes must be from 1 to 2147483648");
  assertRefused({ num_boxes: "0" }, 1, "num_boxes must be from 1 to");
});

Deno.test("settingsFromEntries() refuses half of a range of ids", () => {
  assertRefused({ num_boxes: "5", first_uid: "1000" }, 2, "first_uid needs first_gid");
  assertRefused({ num_boxes: "5", first_gid: "1000" }, 2, "first_gid needs first_uid");
});

Deno.test("settingsFromEntries() takes num_boxes alone", () => {
  assertEquals(settings({ num_boxes: "5" }).firstUid, 60000);
});

Deno.test("settingsFromEntries() refuses a range of ids beside subid_user", () => {
  for (const key of ["first_uid", "first_gid", "num_boxes"]) {
    assertRefused({ subid_user: "judge", [key]: "5" }, 2, `${key} and subid_user (line 1) exclude`);
  }
  assertRefused({ first_uid: "5", first_gid: "5", subid_user: "judge" }, 1, "subid_user (line 3)");
});

Deno.test("settingsFromEntries() remembers subid_user and its line", () => {
  assertEquals(parse({ restricted_init: "0", subid_user: "judge" }).subidUser, {
    name: "judge",
    line: 2,
  });
  assertEquals(parse({}).subidUser, undefined);
});

Deno.test("settingsFromEntries() takes restricted_init as 0 or 1, and as YAML says it", () => {
  assertEquals(settings({ restricted_init: "0" }).restrictedInit, false);
  assertEquals(settings({ restricted_init: "false" }).restrictedInit, false);
  assertEquals(settings({ restricted_init: "true" }).restrictedInit, true);
  for (const value of ["2", "yes", "on", "TRUE", "01"]) {
    assertRefused({ restricted_init: value }, 1, "restricted_init must be 0 or 1");
  }
});

Deno.test("settingsFromEntries() takes syscall_flags as a sum or as all", () => {
  assertEquals(settings({ syscall_flags: "0" }).syscallFlags, 0);
  assertEquals(settings({ syscall_flags: "all" }).syscallFlags, 31);
  assertEquals(settings({ syscall_flags: "2147483647" }).syscallFlags, 2147483647);
  assertRefused({ syscall_flags: "2147483648" }, 1, "syscall_flags must be from 0 to 2147483647");
});

Deno.test("settingsFromEntries() takes lists of CPUs and memory nodes", () => {
  for (const list of ["0", "0-3", "0,2,4-7", "3-3", "0-31:2/8"]) {
    assertEquals(settings({ "box1.cpus": list }).perBox.get(1), { cpus: list });
    assertEquals(settings({ "box1.mems": list }).perBox.get(1), { mems: list });
  }
  assertEquals(settings({ "box1.cpus": "0, 2 - 3" }).perBox.get(1), { cpus: "0,2-3" });
});

Deno.test("settingsFromEntries() refuses what is not a list", () => {
  for (const list of ["a", "-1", "1-", "3-1", "0,,1", "0,", "0-3-5", "0;1", "0:1/2"]) {
    assertRefused({ "box1.cpus": list }, 1, "box1.cpus must be a list");
  }
});

Deno.test("settingsFromEntries() refuses boxes that no option can name", () => {
  assertEquals(settings({ "box2147483647.cpus": "0" }).perBox.size, 1);
  assertRefused({ "box2147483648.cpus": "0" }, 1, "there can be no box 2147483648");
});
