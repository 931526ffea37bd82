/** The file `generators/generators.yaml`: where the tests of a package come from. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { GeneratedTest, ProgramSource } from "../types.ts";
import { PackageError } from "./errors.ts";
import type { PackageFiles } from "./files.ts";
import { readProgram } from "./programs.ts";

const FOLDER = "generators";
const FILE = `${FOLDER}/generators.yaml`;
const SEED = /\{seed(?::\d+)?\}/g;

/**
 * Reads how the inputs are made. What this judge does not know of the file is named once, and the tests
 * that it is about are not checked.
 */
export async function readGenerated(files: PackageFiles): Promise<GeneratedTest[]> {
  if (!files.find(FILE)) return [];
  try {
    const node = await files.readYaml(FILE, { unknownKeys: "warn" });
    const reader = new GeneratedReader(files, node);
    await reader.read(node, { path: "", salt: "" });
    return reader.tests;
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    files.warnings.push(error.message);
    return [];
  }
}

class GeneratedReader {
  readonly tests: GeneratedTest[] = [];
  readonly #files: PackageFiles;
  readonly #named: ReadonlyMap<string, YamlNode>;
  readonly #programs = new Map<string, ProgramSource>();

  constructor(files: PackageFiles, root: YamlNode) {
    this.#files = files;
    this.#named = root.entries().get("generators")?.entries() ?? new Map();
  }

  /** Reads a folder of tests. */
  async read(
    folder: YamlNode,
    { path, salt: above }: { path: string; salt: string },
  ): Promise<void> {
    const values = folder.entries();
    const salt = values.get("random_salt")?.exactText() ?? above;
    const data = values.get("data");
    if (!data || data.isEmpty) return;
    for (const [name, node] of this.#members(data, path)) {
      const below = path === "" ? name : `${path}/${name}`;
      if (node.isMapping && !isTest(node)) await this.read(node, { path: below, salt });
      else await this.#readTest(node, { name: below, salt });
    }
  }

  /** Lists what is in a folder by names; those of a list are numbered. */
  #members(data: YamlNode, path: string): [string, YamlNode][] {
    if (data.isMapping) return [...data.entries()];
    const all = data.list().map((one) => [...one.entries()]);
    const members = all.flat();
    const isPlain = all.every((one) => one.length === 1) &&
      members.every(([, node]) => !node.isMapping || isTest(node) && !node.entries().has("count"));
    if (!isPlain) {
      const where = path === "" ? "data" : path;
      this.#files.warn(FILE, `${where}: numbered groups and counts are not checked`);
      return [];
    }
    const width = String(members.length).length;
    return members.map(([name, node], i) => {
      const number = String(i + 1).padStart(width, "0");
      return [name === "" ? number : `${number}-${name}`, node];
    });
  }

  async #readTest(
    node: YamlNode,
    { name, salt: above }: { name: string; salt: string },
  ): Promise<void> {
    const values = node.isMapping ? node.entries() : new Map([["generate", node]]);
    if (values.has("count")) {
      return this.#files.warn(FILE, `${name}: tests with a count are not checked`);
    }
    const [literal, copy, command] = ["in", "copy", "generate"].map((key) => values.get(key));
    if (literal) {
      const text = literal.exactText();
      const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
      this.tests.push({ name, from: { kind: "text", text: ended } });
    } else if (copy) {
      const path = `${FOLDER}/${copy.text()}.in`;
      const { hostFile } = this.#files.mustBeFile(path, this.#files.find(path));
      this.tests.push({ name, from: { kind: "file", path, hostFile } });
    } else if (command && !command.isEmpty) {
      const salt = values.get("random_salt")?.exactText() ?? above;
      await this.#readCommand(command, { name, salt });
    }
  }

  async #readCommand(
    node: YamlNode,
    { name, salt }: { name: string; salt: string },
  ): Promise<void> {
    const command = node.exactText().trim();
    const [program = "", ...words] = command.split(/\s+/);
    const seed = await seedOf(salt + command);
    const args = words.map((word) =>
      word.replaceAll(SEED, `${seed}`).replaceAll("{name}", "testcase")
    );
    this.tests.push({
      name,
      from: { kind: "command", command, program: this.#program(program, node), args },
    });
  }

  /** Finds a generator: one that is put together of several files, or a file or folder. */
  #program(name: string, node: YamlNode): ProgramSource {
    const known = this.#programs.get(name);
    if (known) return known;
    const parts = this.#named.get(name)?.words() ?? [name];
    const sources = parts.map((part) => {
      const entry = this.#files.find(`${FOLDER}/${part}`);
      if (!entry) throw node.error(`there is no ${FOLDER}/${part}`);
      return readProgram(this.#files, entry);
    });
    const source = sources.length === 1
      ? sources[0]!
      : { name, files: sources.flatMap(({ files }) => files) };
    this.#programs.set(name, source);
    return source;
  }
}

function isTest(node: YamlNode): boolean {
  const keys = [...node.entries().keys()];
  return keys.some((key) => ["in", "copy", "generate", "count", "ans", "out"].includes(key));
}

/** The seed is the SHA-512 of salt and command as a number, modulo 2^31: that is its last four bytes. */
async function seedOf(text: string): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-512", new TextEncoder().encode(text));
  return new DataView(digest).getUint32(60) % 2 ** 31;
}
