import { assert, assertEquals } from "@std/assert";
import { HostFiles } from "./files.ts";
import { callerIdentity } from "./identity.ts";
import { System } from "../ffi/system.ts";

const PREFIX = "isolate-programs-";
const HOLDER = `
import { System } from "${new URL("../ffi/system.ts", import.meta.url)}";
import { HostFiles } from "${new URL("files.ts", import.meta.url)}";
import { callerIdentity } from "${new URL("identity.ts", import.meta.url)}";
const system = await System.load();
const own = callerIdentity(system, { privileged: false });
const host = new HostFiles({ system, own, caller: own });
const { path } = host.temporaryDirectory("${PREFIX}");
host.makeDirectory(path + "/a/b");
host.write(path + "/a/b/c", "left");
console.log(path);
if (Deno.args[0] === "stay") setInterval(() => {}, 1000);
`;

/** Runs a process that makes a temporary directory; \`test\` gets its path while the process lives. */
async function withHolder(
  { folder, stay }: { folder: string; stay: boolean },
  test: (path: string) => void | Promise<void> = () => {},
): Promise<string> {
  const script = `${folder}/../holder.ts`;
  await Deno.writeTextFile(script, HOLDER);
  const config = new URL("../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--config=${config}`, script, stay ? "stay" : "end"],
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the holder has ended: ${text}`);
      text += value;
    }
    await test(text.trim());
    return text.trim();
  } finally {
    if (stay) child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const outer = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${outer}/tmp`, { mode: 0o700 });
    await test(`${outer}/tmp`);
  } finally {
    await Deno.remove(outer, { recursive: true });
  }
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

Deno.test("what a killed process leaves of its temporary directory goes with the next one's start", () =>
  withFolder(async (folder) => {
    const left = await withHolder({ folder, stay: true });
    assertEquals(namesIn(folder), [nameOf(left)], "SIGKILL leaves it");
    await withHolder({ folder, stay: true }, (path) => {
      assertEquals(namesIn(folder), [nameOf(path)]);
    });
  }));

Deno.test("the directory of a process that lives stays, and so does what only looks like one", () =>
  withFolder(async (folder) => {
    const uuid = crypto.randomUUID();
    const others = [`${PREFIX}notes`, `${PREFIX}${uuid}`, `${PREFIX}${crypto.randomUUID()}`];
    const elsewhere = `${folder}/../elsewhere`;
    await Deno.mkdir(elsewhere, { mode: 0o700 });
    await Deno.writeTextFile(`${elsewhere}/kept`, "");
    await Deno.mkdir(`${folder}/${others[0]}`, { mode: 0o700 });
    await Deno.symlink(elsewhere, `${folder}/${others[1]}`);
    // Others may enter it: none of ours.
    await Deno.mkdir(`${folder}/${others[2]}`, { mode: 0o755 });
    await withHolder({ folder, stay: true }, async (first) => {
      await withHolder({ folder, stay: false }, () => {});
      const names = namesIn(folder).filter((name) => !others.includes(name));
      assert(names.includes(nameOf(first)));
      assertEquals(await Deno.readTextFile(`${first}/a/b/c`), "left");
    });
    assertEquals(others.filter((name) => !namesIn(folder).includes(name)), []);
    assertEquals(namesIn(elsewhere), ["kept"]);
  }));

Deno.test("where others can rename directories, none is taken for one that was left", () =>
  withFolder(async (folder) => {
    const left = await withHolder({ folder, stay: true });
    await Deno.chmod(folder, 0o777);
    await withHolder({ folder, stay: true }, () => {
      assert(namesIn(folder).includes(nameOf(left)));
    });
    await Deno.chmod(folder, 0o1777);
    await withHolder({ folder, stay: true }, () => {
      assert(!namesIn(folder).includes(nameOf(left)));
    });
  }));

Deno.test("disposing of a temporary directory removes it with everything in it", async () => {
  const system = await System.load();
  const own = callerIdentity(system, { privileged: false });
  const host = new HostFiles({ system, own, caller: own });
  let path: string;
  {
    using directory = host.temporaryDirectory("isolate-test-");
    path = directory.path;
    host.makeDirectory(`${path}/a`);
    host.write(`${path}/a/file`, "x");
    assertEquals(host.status(path)!.mode, 0o700);
  }
  assertEquals(host.status(path), undefined);
});
