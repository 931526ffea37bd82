/**
 * Builds the Debian package: `./dev deb [FOLDER]`. It has the client, the direct command, the sources with
 * the Deno runtime that executes them, units, manual, completions and a default configuration.
 */

import { VERSION } from "../cli.ts";
import { output, ROOT, withFolder } from "./process.ts";

const SOURCES = [
  "box",
  "cgroup",
  "check",
  "cli",
  "config",
  "ffi",
  "host",
  "judge",
  "server",
  "service",
  "text",
];
const FILES = [
  ...["cli.ts", "core.ts", "deno.json", "deno.lock", "direct.ts", "isolate.ts", "mod.ts"],
  "server.ts",
];
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "SECURITY.md"];
const UNITS = ["isolate.service", "isolate.socket", "isolate.slice", "isolate-cg-keeper.service"];
const PACKAGE = "isolate-deno";
const DEBIAN = `${ROOT}/packaging/debian`;

/** Debian's names of processors. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** A package that is being put together in a folder. */
class Tree {
  constructor(readonly root: string) {}

  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const target = `${this.root}/${path}`;
    await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(target, bytes);
    await Deno.chmod(target, mode);
  }

  async copy(from: string, path: string, mode?: number): Promise<void> {
    await this.write(path, await Deno.readFile(from), mode);
  }

  /** Writes a compressed file that is the same each time. */
  async compress(path: string, content: string): Promise<void> {
    await this.write(path, content);
    await output(["gzip", "-9n", `${this.root}/${path}`]);
  }

  async link(path: string, to: string): Promise<void> {
    await Deno.symlink(to, `${this.root}/${path}`);
  }
}

async function addSources(tree: Tree): Promise<void> {
  const lib = "usr/lib/isolate";
  for (const file of FILES) await tree.copy(`${ROOT}/${file}`, `${lib}/${file}`);
  for (const folder of [...SOURCES, "vendor"]) {
    const all = (await output(["find", folder, "-type", "f"], { cwd: ROOT })).trim().split("\n");
    for (const file of all.filter((path) => !/_test\.ts$|\/LICENSE$/.test(path))) {
      await tree.copy(`${ROOT}/${file}`, `${lib}/${file}`);
    }
  }
  const { arch } = Deno.build;
  // It is a program, too: the init of every box.
  await tree.copy(`${ROOT}/lib/libisolate-${arch}.so`, `${lib}/lib/libisolate-${arch}.so`, 0o755);
  // The client for `isolate judge`, which runs programs by it.
  await tree.copy(`${ROOT}/lib/isolate-${arch}`, `${lib}/lib/isolate-${arch}`, 0o755);
  await tree.copy(Deno.execPath(), `${lib}/deno`, 0o755);
}

async function addCommands(tree: Tree): Promise<void> {
  await tree.copy(`${ROOT}/lib/isolate-${Deno.build.arch}`, "usr/bin/isolate", 0o755);
  await tree.copy(`${DEBIAN}/isolate-direct`, "usr/bin/isolate-direct", 0o755);
  const check = "usr/bin/isolate-check-environment";
  await tree.copy(`${ROOT}/bin/isolate-check-environment`, check, 0o755);
  for (const unit of UNITS) {
    const text = await Deno.readTextFile(`${ROOT}/systemd/${unit}`);
    const own = text.replaceAll("/usr/local/bin/isolate", "/usr/bin/isolate-direct");
    await tree.write(`usr/lib/systemd/system/${unit}`, own);
  }
  await tree.copy(`${DEBIAN}/isolate.yaml`, "etc/isolate.yaml");
}

async function addTexts(tree: Tree): Promise<void> {
  const isolate = (...args: string[]) =>
    output([Deno.execPath(), "run", "--allow-ffi", `${ROOT}/direct.ts`, ...args]);
  await tree.compress("usr/share/man/man1/isolate.1", await isolate("manual"));
  for (const name of ["isolate-direct", "isolate-check-environment"]) {
    await tree.link(`usr/share/man/man1/${name}.1.gz`, "isolate.1.gz");
  }
  const completions = {
    bash: "usr/share/bash-completion/completions/isolate",
    zsh: "usr/share/zsh/vendor-completions/_isolate",
    fish: "usr/share/fish/vendor_completions.d/isolate.fish",
  };
  for (const [shell, path] of Object.entries(completions)) {
    await tree.write(path, await isolate("completions", shell));
  }
  const documents = `usr/share/doc/${PACKAGE}`;
  for (const name of DOCUMENTS) {
    await tree.compress(`${documents}/${name}`, await Deno.readTextFile(`${ROOT}/${name}`));
  }
  await tree.compress(`${documents}/changelog`, await Deno.readTextFile(`${ROOT}/CHANGELOG.md`));
  await tree.compress(`${documents}/changelog.Debian`, debianChangelog());
  await tree.copy(`${DEBIAN}/copyright`, `${documents}/copyright`);
  for (const name of ["isolate-sudo", "sudoers"]) {
    await tree.copy(`${ROOT}/packaging/sudo/${name}`, `${documents}/examples/${name}`);
  }
  await tree.copy(`${DEBIAN}/lintian-overrides`, `usr/share/lintian/overrides/${PACKAGE}`);
}

const MAINTAINER = "The authors of isolate for Deno <isolate@example.org>";

function debianChangelog(): string {
  return `${PACKAGE} (${VERSION}) unstable; urgency=medium

  * See changelog.gz for what is new.

 -- ${MAINTAINER}  Thu, 26 Nov 2026 12:00:00 +0000
`;
}

async function addControl(tree: Tree): Promise<void> {
  const size = (await output(["du", "-sk", "--apparent-size", tree.root])).split("\t")[0]!;
  const control = (await Deno.readTextFile(`${DEBIAN}/control`))
    .replace("VERSION", VERSION)
    .replace("ARCHITECTURE", ARCHITECTURES[Deno.build.arch]!)
    .replace("MAINTAINER", MAINTAINER)
    .replace("SIZE", size);
  const sums = await output(["sh", "-c", "find usr -type f -print0 | sort -z | xargs -0 md5sum"], {
    cwd: tree.root,
  });
  await tree.write("DEBIAN/control", control);
  await tree.write("DEBIAN/md5sums", sums);
  await tree.write("DEBIAN/conffiles", "/etc/isolate.yaml\n");
  for (const name of ["postinst", "prerm", "postrm"]) {
    await tree.copy(`${DEBIAN}/${name}`, `DEBIAN/${name}`, 0o755);
  }
}

/** Builds the package into a folder, and gives its path. */
export async function buildDeb(folder: string): Promise<string> {
  return await withFolder(async (work) => {
    const tree = new Tree(`${work}/tree`);
    await Deno.mkdir(`${tree.root}/var/lib/isolate`, { recursive: true });
    await addSources(tree);
    await addCommands(tree);
    await addTexts(tree);
    await addControl(tree);
    await output(["find", tree.root, "-type", "d", "-exec", "chmod", "0755", "{}", "+"]);
    await Deno.mkdir(folder, { recursive: true });
    const path = `${folder}/${PACKAGE}_${VERSION}_${ARCHITECTURES[Deno.build.arch]}.deb`;
    await output(["dpkg-deb", "--root-owner-group", "-Zxz", "-z2", "--build", tree.root, path]);
    return path;
  });
}

if (import.meta.main) {
  console.log(await buildDeb(Deno.args[0] ?? `${ROOT}/dist`));
}
