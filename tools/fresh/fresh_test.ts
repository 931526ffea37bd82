import { assertEquals, assertThrows } from "@std/assert";
import { hierarchies } from "./groups.ts";
import { downloadSettings, environment, mirrorIn } from "./root.ts";
import { parseRequest } from "./run.ts";

Deno.test("parseRequest() takes releases, then a verb with its words", () => {
  const both = [["demo"], ["test"], ["deb-try"]];
  assertEquals(parseRequest([]), {
    releases: ["bookworm", "trixie"],
    commands: both,
    ifPossible: false,
  });
  assertEquals(parseRequest(["trixie"]).releases, ["trixie"]);
  assertEquals(parseRequest(["trixie"]).commands, both);
  const request = parseRequest(["--if-possible", "bookworm", "test", "--quick"]);
  assertEquals(request, {
    releases: ["bookworm"],
    commands: [["test", "--quick"]],
    ifPossible: true,
  });
  assertThrows(() => parseRequest(["trixie", "--quick"]), Error, "unknown option --quick");
});

Deno.test("mirrorIn() finds Debian itself among the sources of a machine", () => {
  const targets = [
    "https://packages.example/tool/ stable main",
    "http://mirror.example/debian-security/ bookworm-security main",
    "http://mirror.example/debian/ bookworm contrib",
    "http://mirror.example/debian/ bookworm main",
  ].join("\n");
  assertEquals(mirrorIn(targets), "http://mirror.example/debian/");
  assertEquals(mirrorIn("http://mirror.example/ubuntu/ noble main\n"), undefined);
});

Deno.test("downloadSettings() keeps what was set, and only of downloads", () => {
  const dump = [
    'APT::Architecture "amd64";',
    'Acquire::cdrom::mount "/media/cdrom/";',
    'Acquire::IndexTargets::deb::Packages::flatMetaKey "Packages";',
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::Check-Date "false";',
    'Acquire::Languages "";',
  ].join("\n");
  assertEquals(
    downloadSettings(dump),
    'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::Check-Date "false";\n',
  );
});

Deno.test("environment() passes on how to reach the network, and nothing else", () => {
  const own = { https_proxy: "p", PIP_CERT: "c", PIP_FIND_LINKS: "w", DENO_DIR: "d", PATH: "/x" };
  assertEquals(environment(own), {
    HOME: "/root",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    NO_COLOR: "1",
    https_proxy: "p",
    PIP_CERT: "c",
  });
});

Deno.test("hierarchies() lists those of both versions", () => {
  const mounts = [
    "proc /proc proc rw 0 0",
    "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0",
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
  ].join("\n");
  assertEquals(hierarchies(mounts), ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"]);
});
