import { assertEquals, assertMatch } from "@std/assert";
import { sharedSandbox } from "isolate/mod.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { HostFiles } from "../../host/files.ts";
import { type FoundTool, placeInBox, ToolFinder } from "./tool_finder.ts";

interface Place {
  folder: string;
  /** Makes an executable file, or with `link` a link to it. */
  make(path: string, options?: { link?: string; mode?: number; text?: string }): Promise<void>;
  find(
    commands: readonly string[],
    options?: { path?: string; alone?: boolean; environment?: Record<string, string> },
  ): FoundTool | string;
}

function finderTest(name: string, test: (place: Place) => Promise<void>): void {
  testWith([needs.root()], name, async () => {
    const host = new HostFiles(await sharedSandbox());
    await withFolder((folder) =>
      test({
        folder,
        async make(path, { link, mode = 0o755, text = "#!/bin/sh\n" } = {}) {
          const whole = `${folder}/${path}`;
          await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
          if (link !== undefined) return await Deno.symlink(link, whole);
          await Deno.writeTextFile(whole, text);
          await Deno.chmod(whole, mode);
        },
        find(commands, { path = "/usr/bin", alone = false, environment = {} } = {}) {
          const variables = { PATH: path, HOME: `${folder}/home`, ...environment };
          return new ToolFinder(host, new Map(Object.entries(variables))).find({ commands, alone });
        },
      })
    );
  });
}

Deno.test("placeInBox() moves only what boxes would not see at its own path", () => {
  assertEquals(placeInBox("/opt/go/bin/go"), "/opt/go/bin/go");
  assertEquals(placeInBox("/tmp/go/bin/go"), "/tools/tmp/go/bin/go");
});

finderTest("a tool where boxes see it needs nothing bound", ({ find }) => {
  const found = find(["no-such-tool", "env"]);
  assertEquals(found, { path: "/usr/bin/env", bind: undefined });
  return Promise.resolve();
});

finderTest("a tool elsewhere is bound with its installation", async ({ folder, make, find }) => {
  await make("tool-1/bin/tool");
  const expected = { path: placeInBox(`${folder}/tool-1/bin/tool`), bind: `${folder}/tool-1` };
  assertEquals(find(["tool"], { path: `${folder}/tool-1/bin` }), expected);
  // By whatever path.
  await make("links/tool", { link: "../tool-1/bin/tool" });
  assertEquals(find(["tool"], { path: `${folder}/links` }), expected);
  assertEquals(find([`${folder}/links/tool`]), expected);
});

finderTest("a tool without an installation is bound alone", async ({ folder, make, find }) => {
  await make("anywhere/tool");
  const path = `${folder}/anywhere/tool`;
  assertEquals(find(["tool"], { path: `${folder}/anywhere`, alone: true }), {
    path: placeInBox(path),
    bind: path,
  });
  assertMatch(String(find(["tool"], { path: `${folder}/anywhere` })), /bin\/ of an installation/);
});

finderTest(
  "a link from elsewhere to what boxes see leads there",
  async ({ folder, make, find }) => {
    await make("links/tool", { link: "/usr/bin/env" });
    assertEquals(find(["tool"], { path: `${folder}/links` }), {
      path: "/usr/bin/env",
      bind: undefined,
    });
  },
);

finderTest("a user's home is never bound", async ({ folder, make, find }) => {
  await make("home/bin/tool");
  const found = find(["tool"], { path: `${folder}/home/bin` });
  assertMatch(String(found), /that can be used: .*home, which holds more than its installation$/);
});

finderTest("programs that only start others are passed over", async ({ folder, make, find }) => {
  await make("shims/env");
  assertEquals(find(["env"], { path: `${folder}/shims:/usr/bin` }), {
    path: "/usr/bin/env",
    bind: undefined,
  });
  assertMatch(
    String(find(["env"], { path: `${folder}/shims` })),
    /^no env in PATH \(.*\) that can be used: .*shims\/env is only a launcher$/,
  );
});

finderTest("Deno's own node is not Node", async ({ folder, make, find }) => {
  await make("bin/deno");
  await Deno.mkdir(`${folder}/node_compat_bin`);
  await Deno.symlink(`${folder}/bin/deno`, `${folder}/node_compat_bin/node`);
  assertMatch(String(find(["node"], { path: `${folder}/node_compat_bin` })), /is only a launcher$/);
});

finderTest("what others cannot execute is passed over", async ({ folder, make, find }) => {
  await make("tool-1/bin/tool", { mode: 0o750 });
  const found = find(["tool"], { path: `${folder}/tool-1/bin` });
  assertMatch(String(found), /tool is not executable by everybody$/);
  await Deno.mkdir(`${folder}/directory/tool`, { recursive: true });
  assertEquals(
    find(["tool"], { path: `${folder}/directory` }),
    `no tool in PATH (${folder}/directory)`,
  );
});

finderTest("rustup's proxies lead to the default toolchain", async ({ folder, make, find }) => {
  await make("home/.cargo/bin/rustup");
  await make("home/.cargo/bin/rustc", { link: "rustup" });
  const path = `${folder}/home/.cargo/bin`;
  assertMatch(String(find(["rustc"], { path })), /is rustup's, but .* names no default toolchain$/);
  await make("home/.rustup/settings.toml", { text: 'default_toolchain = "one"\n' });
  assertMatch(String(find(["rustc"], { path })), /is rustup's, but there is no .*one\/bin\/rustc$/);
  for (const toolchain of ["one", "two"]) {
    await make(`home/.rustup/toolchains/${toolchain}/bin/rustc`);
    const root = `${folder}/home/.rustup/toolchains/${toolchain}`;
    const environment = toolchain === "two" ? { RUSTUP_TOOLCHAIN: "two" } : {};
    assertEquals(find(["rustc"], { path, environment }), {
      path: placeInBox(`${root}/bin/rustc`),
      bind: root,
    });
  }
});

finderTest("all places that were looked at are named", ({ folder, find }) => {
  assertEquals(
    find(["one", "two", "{home}/three", "/no/four"], { path: `/usr/bin::relative:/usr/bin` }),
    `no one or two in PATH (/usr/bin) and no ${folder}/home/three or /no/four`,
  );
  return Promise.resolve();
});

finderTest(
  "expand() finds what matches, and nothing where there is nothing",
  async ({ folder, make }) => {
    for (const name of ["java-11", "java-17", "javelin.d", "other"]) await make(name);
    const finder = new ToolFinder(new HostFiles(await sharedSandbox()), new Map());
    assertEquals(finder.expand(`${folder}/java-*`), [`${folder}/java-11`, `${folder}/java-17`]);
    assertEquals(finder.expand(`${folder}/jav*.d`), [`${folder}/javelin.d`]);
    assertEquals(finder.expand(`${folder}/other`), [`${folder}/other`]);
    assertEquals(finder.expand(`${folder}/none`), []);
    assertEquals(finder.expand(`/no/such/*`), []);
  },
);
