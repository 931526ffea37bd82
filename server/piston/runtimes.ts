/** The runtimes that clients of Piston choose from: languages of the table, by the names that Piston has. */

import { versionIn } from "../../text/tool_version.ts";
import { compare, format, satisfies, type SemVer, tryParseRange } from "../../vendor/std/semver.ts";
import type { Executor, LanguageInfo } from "../engine/executor.ts";
import { HttpError } from "../http/failure.ts";

/** A runtime, as it is listed. */
export interface PistonRuntime {
  readonly language: string;
  readonly version: string;
  readonly aliases: readonly string[];
  /** The tool, where a language has several. */
  readonly runtime?: string;
}

/** A runtime, and the language of the table that it is. */
export interface KnownRuntime extends PistonRuntime {
  readonly id: string;
  readonly numbers: SemVer;
}

interface Name {
  readonly language: string;
  readonly aliases?: readonly string[];
  readonly runtime?: string;
}

/** By what names clients know the languages of the table; others have their ids. */
const NAMES: Readonly<Record<string, readonly Name[]>> = {
  c: [{ language: "c", aliases: ["gcc"], runtime: "gcc" }],
  cpp: [{ language: "c++", aliases: ["cpp", "g++"], runtime: "gcc" }],
  python3: [{ language: "python", aliases: ["py", "py3", "python3", "python3.x"] }],
  python2: [{ language: "python2", aliases: ["py2", "python2.7"] }],
  pypy3: [{ language: "pypy", aliases: ["pypy3"] }],
  java: [{ language: "java" }],
  javascript: [{
    language: "javascript",
    aliases: ["node-javascript", "node-js", "node", "js"],
    runtime: "node",
  }],
  deno: [
    { language: "typescript", aliases: ["deno", "deno-ts", "ts"], runtime: "deno" },
    { language: "javascript", aliases: ["deno-js"], runtime: "deno" },
  ],
  typescript: [{ language: "typescript", aliases: ["node-ts", "tsc"], runtime: "node" }],
  go: [{ language: "go", aliases: ["golang"] }],
  rust: [{ language: "rust", aliases: ["rs"] }],
  csharp: [{
    language: "csharp",
    aliases: ["mono", "mono-csharp", "mono-c#", "mono-cs", "c#", "cs"],
    runtime: "mono",
  }],
  pascal: [{ language: "pascal", aliases: ["freepascal", "pp", "pas"] }],
  kotlin: [{ language: "kotlin", aliases: ["kt"] }],
  scala: [{ language: "scala", aliases: ["sc"] }],
  haskell: [{ language: "haskell", aliases: ["hs"] }],
  ocaml: [{ language: "ocaml", aliases: ["ml"] }],
  fortran: [{ language: "fortran", aliases: ["f90"], runtime: "gcc" }],
  d: [{ language: "d" }],
  nim: [{ language: "nim" }],
  ruby: [{ language: "ruby", aliases: ["ruby3", "rb"] }],
  perl: [{ language: "perl", aliases: ["pl"] }],
  php: [{ language: "php" }],
  lua: [{ language: "lua" }],
  lisp: [{ language: "lisp", aliases: ["cl", "sbcl", "commonlisp"] }],
  prolog: [{ language: "prolog", aliases: ["plg"] }],
  r: [{ language: "rscript", aliases: ["r"] }],
  bash: [{ language: "bash", aliases: ["sh"] }],
  shell: [{ language: "shell", aliases: ["dash", "posix-sh"] }],
};

/** Of tools that name no version. */
const NO_VERSION: SemVer = { major: 1, minor: 0, patch: 0 };
const LISTED_MAX = 20;
const RANGE_LENGTH_MAX = 256;

/** Lists the runtimes that can be used, those of the latest versions first. */
export async function knownRuntimes(executor: Executor): Promise<readonly KnownRuntime[]> {
  const languages = await executor.languages();
  return languages.flatMap((info) =>
    info.version === undefined ? [] : runtimesOf(info, info.version)
  )
    .sort((a, b) => compare(b.numbers, a.numbers));
}

function runtimesOf({ id }: LanguageInfo, said: string): KnownRuntime[] {
  const numbers = versionIn(said) ?? NO_VERSION;
  const names = NAMES[id] ?? [{ language: id }];
  return names.map(({ language, aliases = [], runtime }) => ({
    id,
    language,
    version: format(numbers),
    numbers,
    aliases,
    ...runtime !== undefined && { runtime },
  }));
}

/** Finds the runtime of a request: the latest version in the range. */
export function findRuntime(
  runtimes: readonly KnownRuntime[],
  { language, version }: { language: string; version: string },
): KnownRuntime {
  const wanted = language.toLowerCase();
  const named = runtimes.filter((one) => one.language === wanted);
  const candidates = named.length > 0
    ? named
    : runtimes.filter(({ aliases, id }) => aliases.includes(wanted) || id === wanted);
  const range = rangeOf(version);
  if (!range) {
    throw new HttpError(
      400,
      `version must be a version or a range of versions, such as 3.x or *: ${shown(version)}`,
    );
  }
  const found = candidates.find(({ numbers }) => satisfies(numbers, range));
  if (found) return found;
  const there = candidates.length > 0
    ? `there is ${candidates.map((one) => `${one.language}-${one.version}`).join(", ")}`
    : `languages: ${listed(runtimes)}`;
  throw new HttpError(400, `${shown(language)}-${shown(version)} runtime is unknown (${there})`);
}

/** Reads a range as npm knows them; some clients say `latest`. */
function rangeOf(text: string) {
  if (text.length > RANGE_LENGTH_MAX) return undefined;
  return tryParseRange(text === "latest" ? "*" : text);
}

function listed(runtimes: readonly KnownRuntime[]): string {
  const names = [...new Set(runtimes.map(({ language }) => language))].sort();
  const more = names.length > LISTED_MAX ? [`${names.length - LISTED_MAX} more`] : [];
  return [...names.slice(0, LISTED_MAX), ...more].join(", ");
}

function shown(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
