/**
 * Where the tools of languages lie on this machine, and what a box must see of it. What is not
 * found is said to be missing, with the places that were looked at; nothing is guessed.
 */

import { type BindRule, defaultDirectoryRules, type HostFiles } from "../../mod.ts";
import type { ToolDefinition } from "./language_definition.ts";

/** A tool that was found. */
export interface FoundTool {
  /** The command as boxes can execute it, absolute. */
  readonly path: string;
  /** What of the host must be bound for that, see {@linkcode placeInBox}; undefined: nothing. */
  readonly bind: string | undefined;
}

const LINKS_MAX = 20;
const SETTINGS_BYTES = 1 << 20;
const EXECUTABLE_BY_OTHERS = 0o001;

/** Folders of programs that only start others, which they find by the user's own settings. */
const FOLDERS_OF_STARTERS = ["shims", "ccache", "distcc", "icecc"];

/** What a box has of its own, and in which nothing of the host can be shown. */
const OWN_DIRECTORIES = ["/box", "/dev", "/proc", "/program", "/tmp"];

/**
 * Where a box shows a file or directory of the host that it needs: at the same place, as tools may
 * know where they were installed; below `/tools` where the box has something of its own there.
 */
export function placeInBox(path: string): string {
  return OWN_DIRECTORIES.some((own) => path.startsWith(`${own}/`)) ? `/tools${path}` : path;
}

/** Finds tools. */
export class ToolFinder {
  readonly #host: HostFiles;
  readonly #environment: ReadonlyMap<string, string>;
  readonly #visible: readonly string[];

  /** Makes a finder. */
  constructor(host: HostFiles, environment: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#environment = environment;
    this.#visible = visibleDirectories();
  }

  /** Finds a tool. */
  find(tool: ToolDefinition): FoundTool | string {
    const folders = this.#folders();
    const useless: string[] = [];
    const tried: string[] = [];
    for (const command of tool.commands) {
      const path = this.#expand(command);
      if (path === undefined) continue;
      tried.push(path);
      const places = path.startsWith("/") ? [path] : folders.map((folder) => `${folder}/${path}`);
      for (const place of places) {
        const found = this.#look(place, tool.alone);
        if (typeof found === "object") return found;
        if (found !== undefined) useless.push(`${place} ${found}`);
      }
    }
    const names = tried.filter((name) => !name.startsWith("/"));
    const paths = tried.filter((name) => name.startsWith("/"));
    const looked = [
      ...names.length > 0 ? [`no ${names.join(" or ")} in PATH (${folders.join(":")})`] : [],
      ...paths.length > 0 ? [`no ${paths.join(" or ")}`] : [],
    ].join(" and ");
    return useless.length === 0 ? looked : `${looked} that can be used: ${useless.join(", ")}`;
  }

  /** Files and directories of the host that match a pattern. */
  expand(pattern: string): string[] {
    const at = pattern.lastIndexOf("/");
    const [directory, last] = [pattern.slice(0, at) || "/", pattern.slice(at + 1)];
    const literal = (text: string) => text.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&");
    const matches = new RegExp(`^${last.split("*").map(literal).join(".*")}$`);
    try {
      if (!last.includes("*")) return this.#host.status(pattern) ? [pattern] : [];
      const names = this.#host.list(directory).map(({ name }) => name);
      return names.filter((name) => matches.test(name)).map((name) =>
        `${directory === "/" ? "" : directory}/${name}`
      );
    } catch {
      // What the caller cannot reach is not there for its programs.
      return [];
    }
  }

  #folders(): string[] {
    const path = this.#environment.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
    // Relative folders, and the empty ones that mean the working directory, are left out.
    return [...new Set(path.split(":").filter((folder) => folder.startsWith("/")))];
  }

  /** Undefined if the caller has no such place. */
  #expand(command: string): string | undefined {
    const home = this.#environment.get("HOME");
    if (command.startsWith("{home}")) return home && home + command.slice("{home}".length);
    if (command === "{runtime}") return this.#runtime();
    return command;
  }

  /** The program of this process, unless it is one that was compiled from us. */
  #runtime(): string | undefined {
    const path = this.#host.readLink("/proc/self/exe");
    return path !== undefined && /\/deno[^/]*$/.test(path) ? path : undefined;
  }

  /** Undefined: nothing is there. A text says why it cannot be used. */
  #look(place: string, alone: boolean): FoundTool | string | undefined {
    try {
      if (this.#host.status(place)?.kind !== "file") return undefined;
      const chain = this.#chain(place);
      const real = chain.at(-1)!;
      const starter = chain.find((path) => FOLDERS_OF_STARTERS.includes(path.split("/").at(-2)!));
      if (starter !== undefined) return "only starts another one";
      if (real.endsWith("/rustup") && !place.endsWith("/rustup")) {
        return this.#ofRustup(place.slice(place.lastIndexOf("/") + 1));
      }
      if (!(this.#host.status(real)!.mode & EXECUTABLE_BY_OTHERS)) {
        return "is not executable by everybody";
      }
      // Some programs go by the name that they are called by, so the first name that will do.
      const at = chain.findLastIndex((path) => !this.#isVisible(path)) + 1;
      const path = chain[at];
      if (path !== undefined) return { path, bind: undefined };
      return this.#withInstallation(real, alone);
    } catch {
      return "cannot be reached";
    }
  }

  #withInstallation(real: string, alone: boolean): FoundTool | string {
    if (alone) return { path: placeInBox(real), bind: real };
    const [, root] = /^(.*)\/bin\/[^/]+$/.exec(real) ?? [];
    if (root === undefined) return "does not lie in the bin/ of an installation";
    const home = this.#environment.get("HOME");
    const isShared = root.lastIndexOf("/") <= 0 || root.startsWith("/home/") &&
        root.split("/").length <= 3 ||
      home === root || home?.startsWith(`${root}/`);
    if (isShared) return `lies in ${root}, which holds more than its installation`;
    return { path: placeInBox(real), bind: root };
  }

  #isVisible(path: string): boolean {
    return this.#visible.some((directory) => path.startsWith(`${directory}/`));
  }

  /** A path, and where each link leads from there; all of them absolute. */
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

  /** A proxy of rustup's starts the tool of the toolchain that is the default. */
  #ofRustup(tool: string): FoundTool | string {
    const home = this.#environment.get("HOME");
    const root = this.#environment.get("RUSTUP_HOME") ?? (home && `${home}/.rustup`);
    if (root === undefined) return "is rustup's, and neither HOME nor RUSTUP_HOME is set";
    const settings = `${root}/settings.toml`;
    const toolchain = this.#environment.get("RUSTUP_TOOLCHAIN") ??
      /^default_toolchain\s*=\s*"([^"]+)"/m.exec(
        this.#host.status(settings) === undefined
          ? ""
          : this.#host.readText(settings, { limitBytes: SETTINGS_BYTES }),
      )?.[1];
    if (toolchain === undefined) return `is rustup's, and ${settings} names no default toolchain`;
    const path = `${root}/toolchains/${toolchain}/bin/${tool}`;
    if (toolchain.includes("/") || this.#host.status(path)?.kind !== "file") {
      return `is rustup's, and there is no ${path}`;
    }
    return this.#withInstallation(this.#host.realPath(path), false);
  }
}

/** Without `.` and `..`, of a path whose folders are no links. */
function normalised(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

/** What each box shows of the host under the same name. */
function visibleDirectories(): string[] {
  return defaultDirectoryRules()
    .filter((rule): rule is BindRule => rule.kind === "bind")
    .filter((rule) => rule.outside === `/${rule.inside}`)
    .map((rule) => rule.outside);
}
