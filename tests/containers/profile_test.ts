// The files for containers agree with what plans do.

import { assertEquals } from "@std/assert";
import { OPERATIONS } from "../../ffi/abi.ts";

const FOLDER = new URL("../../containers/", import.meta.url);
const OWN = ["spawn", "store", "load", "next", "reap", "spawn_each"];

async function allowed(): Promise<Set<string>> {
  const text = await Deno.readTextFile(new URL("seccomp.json", FOLDER));
  const { defaultAction, syscalls } = JSON.parse(text);
  assertEquals(defaultAction, "SCMP_ACT_ERRNO");
  const rules = syscalls as { names: string[]; action: string }[];
  return new Set(rules.flatMap(({ names, action }) => action === "SCMP_ACT_ALLOW" ? names : []));
}

Deno.test("the seccomp profile allows every system call that a plan can name, and clone3", async () => {
  const names = await allowed();
  const wanted = [...OPERATIONS.filter((name) => !OWN.includes(name)), "clone3", "unshare"];
  assertEquals(wanted.filter((name) => !names.has(name)), []);
});

Deno.test("the seccomp profile allows nothing that changes the host's kernel", async () => {
  const names = await allowed();
  const dangerous = [
    ...["bpf", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"],
    ...["reboot", "swapon", "swapoff", "acct", "settimeofday", "clock_settime", "syslog"],
    ...["perf_event_open", "open_by_handle_at", "io_uring_setup", "userfaultfd", "iopl", "ioperm"],
    ...["add_key", "request_key"],
  ];
  assertEquals(dangerous.filter((name) => names.has(name)), []);
});

Deno.test("neither file asks for --privileged or CAP_SYS_ADMIN", async () => {
  for (const name of ["compose.yaml", "kubernetes.yaml"]) {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const settings = text.split("\n").filter((line) => !line.trim().startsWith("#"));
    assertEquals(settings.filter((line) => /privileged:\s*true|SYS_ADMIN/.test(line)), [], name);
  }
});
