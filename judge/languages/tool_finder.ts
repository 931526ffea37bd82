/**
 * Finds the tools of languages on this machine, and what a box must see of it. A tool that is missing is
 * reported with the places that were searched; nothing is guessed.
 */

import { type BindRule, defaultDirectoryRules, type HostFiles } from "../../mod.ts";
import type { ToolDefinition } from "./language_definition.ts";

/** A tool that was found. */
export interface FoundTool {
  /** The path by which boxes execute it. */
  readonly path: string;
  /** The file or directory of the host that boxes must see for that; undefined: none. */
  readonly bind: string | undefined;
}

const LINKS_MAX = 20;
const SETTINGS_BYTES = 1 << 20;
const EXECUTABLE_BY_OTHERS = 0o001;
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Folders of launchers, which find the real program by the user's own settings. In the last one Deno
 * puts itself on PATH as `node` where there is no Node.
 */
const LAUNCHER_FOLDERS = ["shims", "ccache", "distcc", "icecc", "node_compat_bin"];

/** Directories that a box has of its own, in which it can show nothing of the host. */
const OWN_DIRECTORIES = ["/box", "/dev", "/proc", "/program", "/tmp"];

/**
 * Gives the path at which a box shows a file or directory of the host: the same path, as tools may know
 * where they were installed, or one below `/tools` where the box has a directory of its own.
 */
export function placeInBox(path: string): string {
  return OWN_DIRECTORIES.some((own) => path.startsWith(`${own}/`)) ? `/tools${path}` : path;
}

/** Finds tools with the rights and the environment of the caller. */
export class ToolFinder {
  readonly #host: HostFiles;
  readonly #environment: ReadonlyMap<string, string>;
  readonly #folders: readonly string[];
  readonly #visible: readonly string[];

  constructor(host: HostFiles, environment: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#environment = environment;
    // Relative folders are left out, and so are empty ones, which mean the working directory.
    const folders = (environment.get("PATH") ?? DEFAULT_PATH).split(":");
    this.#folders = [...new Set(folders.filter((folder) => folder.startsWith("/")))];
    this.#visible = visibleDirectories();
  }

  /** Finds a tool, or tells where it was searched. */
  find(tool: ToolDefinition): FoundTool | string {
    const unusable: string[] = [];
    const tried: string[] = [];
    for (const command of tool.commands) {
      const path = this.#expand(command);
      if (path === undefined) continue;
      tried.push(path);
      const isPath = path.startsWith("/");
      for (const place of isPath ? [path] : this.#folders.map((folder) => `${folder}/${path}`)) {
        const found = this.#look(place, tool.alone);
        if (typeof found === "object") return found;
        if (found !== undefined) unusable.push(`${place} ${found}`);
      }
    }
    const names = tried.filter((name) => !name.startsWith("/"));
    const paths = tried.filter((name) => name.startsWith("/"));
    const searched = [
      ...names.length > 0 ? [`no ${names.join(" or ")} in PATH (${this.#folders.join(":")})`] : [],
      ...paths.length > 0 ? [`no ${paths.join(" or ")}`] : [],
    ].join(" and ");
    return unusable.length === 0
      ? searched
      : `${searched} that can be used: ${unusable.join(", ")}`;
  }

  /** Lists files and directories of the host that match a pattern. */
  expand(pattern: string): string[] {
    const at = pattern.lastIndexOf("/");
    const [directory, last] = [pattern.slice(0, at), pattern.slice(at + 1)];
    const literal = (text: string) => text.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&");
    const matches = new RegExp(`^${last.split("*").map(literal).join(".*")}$`);
    try {
      if (!last.includes("*")) return this.#host.status(pattern) ? [pattern] : [];
      return this.#host.list(directory || "/").filter(({ name }) => matches.test(name))
        .map(({ name }) => `${directory}/${name}`);
    } catch {
      // What the caller cannot reach is out of reach for the caller's programs too.
      return [];
    }
  }

  /** Replaces placeholders; undefined if the caller has no such place. */
  #expand(command: string): string | undefined {
    const home = this.#environment.get("HOME");
    if (command.startsWith("{home}")) return home && home + command.slice("{home}".length);
    if (command !== "{runtime}") return command;
    // The program of this process, unless it was compiled from us.
    const path = this.#host.readLink("/proc/self/exe");
    return path !== undefined && /\/deno[^/]*$/.test(path) ? path : undefined;
  }

  /** Looks at a place: undefined if it is empty, a text that says why it cannot be used. */
  #look(place: string, alone: boolean): FoundTool | string | undefined {
    try {
      if (this.#host.status(place)?.kind !== "file") return undefined;
      const chain = this.#chain(place);
      const real = chain.at(-1)!;
      if (chain.some((path) => LAUNCHER_FOLDERS.includes(path.split("/").at(-2)!))) {
        return "is only a launcher";
      }
      if (real.endsWith("/rustup") && !place.endsWith("/rustup")) {
        return this.#ofRustup(place.slice(place.lastIndexOf("/") + 1));
      }
      if (!(this.#host.status(real)!.mode & EXECUTABLE_BY_OTHERS)) {
        return "is not executable by everybody";
      }
      // The first name that boxes see: some programs behave by the name they are called by.
      const path = chain[chain.findLastIndex((path) => !this.#isVisible(path)) + 1];
      return path === undefined ? this.#withInstallation(real, alone) : { path, bind: undefined };
    } catch {
      return "cannot be reached";
    }
  }

  #withInstallation(real: string, alone: boolean): FoundTool | string {
    if (alone) return { path: placeInBox(real), bind: real };
    const [, root] = /^(.*)\/bin\/[^/]+$/.exec(real) ?? [];
    if (root === undefined) return "is not in the bin/ of an installation";
    const home = this.#environment.get("HOME");
    const isShared = /^(\/[^/]*)?$|^\/home\/[^/]+$/.test(root) ||
      home === root || home?.startsWith(`${root}/`);
    if (isShared) return `is in ${root}, which holds more than its installation`;
    return { path: placeInBox(real), bind: root };
  }

  #isVisible(path: string): boolean {
    return this.#visible.some((directory) => path.startsWith(`${directory}/`));
  }

  /** Follows the links from a path; all paths are absolute. */
  #chain(path: string): string[] {
    const chain = [path];
    for (let count = 0; count < LINKS_MAX; count++) {
      const last = chain.at(-1)!;
      const target = this.#host.readLink(last);
      if (target === undefined) break;
      const folder = last.slice(0, last.lastIndexOf("/")) || "/";
      if (target.startsWith("/")) chain.push(target);
      else chain.push(normalised(`${this.#host.realPath(folder)}/${target}`));
    }
    const real = this.#host.realPath(path);
    if (chain.at(-1) !== real) chain.push(real);
    return chain;
  }

  /** Finds the tool that a proxy of rustup starts: that of the default toolchain. */
  #ofRustup(tool: string): FoundTool | string {
    const home = this.#environment.get("HOME");
    const root = this.#environment.get("RUSTUP_HOME") ?? (home && `${home}/.rustup`);
    if (root === undefined) return "is rustup's, but neither HOME nor RUSTUP_HOME is set";
    const file = `${root}/settings.toml`;
    const toolchain = this.#environment.get("RUSTUP_TOOLCHAIN") ??
      /^default_toolchain\s*=\s*"([^"]+)"/m.exec(
        this.#host.status(file) ? this.#host.readText(file, { limitBytes: SETTINGS_BYTES }) : "",
      )?.[1];
    if (toolchain === undefined) return `is rustup's, but ${file} names no default toolchain`;
    const path = `${root}/toolchains/${toolchain}/bin/${tool}`;
    if (toolchain.includes("/") || this.#host.status(path)?.kind !== "file") {
      return `is rustup's, but there is no ${path}`;
    }
    return this.#withInstallation(this.#host.realPath(path), false);
  }
}

/** Removes `.` and `..` from a path whose folders are not links. */
function normalised(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

/** Lists what each box shows of the host at the same path. */
function visibleDirectories(): string[] {
  return defaultDirectoryRules()
    .filter((rule): rule is BindRule => rule.kind === "bind")
    .filter((rule) => rule.outside === `/${rule.inside}`)
    .map((rule) => rule.outside);
}
