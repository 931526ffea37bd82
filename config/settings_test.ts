import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { parseClassicConfig } from "./classic.ts";
import { defaultSettings, describeSettings } from "./settings.ts";

Deno.test("defaultSettings() are the documented ones", () => {
  assertEquals(defaultSettings(), {
    boxRoot: "/var/local/lib/isolate",
    lockRoot: "/run/isolate/locks",
    cgRoot: { kind: "auto" },
    firstUid: 60000,
    firstGid: 60000,
    numBoxes: 1000,
    restrictedInit: false,
    syscallFlags: 31,
    perBox: new Map(),
    network: {
      bridge: "isolate0",
      bridgeAddresses: [],
      gateways: [],
      isIsolated: true,
      pool: [],
      grants: [],
    },
    service: defaultSettings().service,
  });
});

Deno.test("defaultSettings() are new each time", () => {
  assertNotStrictEquals(defaultSettings().perBox, defaultSettings().perBox);
});

Deno.test("describeSettings() writes all settings, boxes in the order of their ids", () => {
  const settings = {
    ...defaultSettings(),
    restrictedInit: true,
    cgRoot: { kind: "fromFile" as const, file: "/run/isolate/cgroup" },
    perBox: new Map([[10, { mems: "1" }], [2, { cpus: "0-1", mems: "0" }]]),
    service: defaultSettings().service,
  };
  assertEquals(
    describeSettings(settings),
    `box_root = /var/local/lib/isolate
lock_root = /run/isolate/locks
cg_root = auto:/run/isolate/cgroup
first_uid = 60000
first_gid = 60000
num_boxes = 1000
restricted_init = 1
syscall_flags = 31
bridge = isolate0
bridge_isolated = 1
service_socket = /run/isolate/socket
service_socket_mode = 0660
service_clients = 1024
service_clients_per_user = 256
service_stop_wait = 10
service_ready = 60
service_ready_memory = 256
box2.cpus = 0-1
box2.mems = 0
box10.mems = 1
`,
  );
});

Deno.test("describeSettings() is read back by parseClassicConfig()", () => {
  const roots = [
    { kind: "auto" as const },
    { kind: "fromFile" as const, file: "/run/cg" },
    { kind: "directory" as const, directory: "/sys/fs/cgroup/isolate" },
  ];
  for (const cgRoot of roots) {
    const settings = { ...defaultSettings(), cgRoot, numBoxes: 5, perBox: new Map([[0, {}]]) };
    settings.perBox.set(0, { cpus: "1,3" });
    assertEquals(parseClassicConfig(describeSettings(settings), "x").settings, settings);
  }
});
