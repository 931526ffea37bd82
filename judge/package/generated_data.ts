/** The file `generators/generators.yaml`: where the tests of a package come from. */

import type { YamlNode } from "../../text/yaml_node.ts";
import type { GeneratedTest, ProgramSource } from "../types.ts";
import { PackageError } from "./errors.ts";
import type { PackageFiles } from "./files.ts";
import { MemberNames, type TwoNames } from "./generated_names.ts";
import { readProgram } from "./programs.ts";

const FOLDER = "generators";
const FILE = `${FOLDER}/generators.yaml`;
/** Folders that include others could list tests without end. */
const TESTS_MAX = 100_000;
const SEED = /\{seed(?::\d+)?\}/g;

/** Reads how the inputs are made. What is wrong there is named, and no test is checked then. */
export async function readGenerated(files: PackageFiles): Promise<GeneratedTest[]> {
  if (!files.find(FILE)) return [];
  try {
    const node = await files.readYaml(FILE, { unknownKeys: "warn" });
    const reader = new GeneratedReader(files, node);
    await reader.read(node, { paths: ["", ""], salt: "" });
    return reader.tests();
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    files.warnings.push(error.message);
    return [];
  }
}

/** A test under both of its names. */
interface NamedTest {
  readonly names: TwoNames;
  readonly from: GeneratedTest["from"];
}

/** A folder that is being read. */
interface OpenFolder {
  readonly paths: TwoNames;
  /** What the seeds of its tests depend on. */
  readonly salt: string;
}

class GeneratedReader {
  readonly #tests: NamedTest[] = [];
  readonly #files: PackageFiles;
  readonly #names: MemberNames;
  readonly #named: ReadonlyMap<string, YamlNode>;
  readonly #programs = new Map<string, ProgramSource>();
  /** The tests below each key, for folders that include them. */
  readonly #byKey = new Map<string, NamedTest[]>();

  constructor(files: PackageFiles, root: YamlNode) {
    this.#files = files;
    this.#names = new MemberNames(root);
    this.#named = root.entries().get("generators")?.entries() ?? new Map();
  }

  /** Gives the tests under the names of which the package has more. */
  tests(): GeneratedTest[] {
    const readings = [0, 1].map((way) =>
      this.#tests.map(({ names, from }): GeneratedTest => ({ name: names[way]!, from }))
    );
    const [throughFile, withinFolder] = readings.map((tests) =>
      tests.filter(({ name }) => this.#files.find(`data/${name}.in`)).length
    );
    return readings[withinFolder! > throughFile! ? 1 : 0]!;
  }

  /** Reads a folder of tests, and gives those that are in it. */
  async read(folder: YamlNode, { paths, salt: above }: OpenFolder): Promise<NamedTest[]> {
    const values = folder.entries();
    const salt = values.get("random_salt")?.exactText() ?? above;
    const found: NamedTest[] = [];
    const included = values.get("include")?.words() ?? [];
    for (const test of included.flatMap((key) => this.#byKey.get(key) ?? [])) {
      const [one, other] = test.names;
      const names = below(paths, [baseName(one), baseName(other)]);
      found.push({ names, from: test.from });
    }
    this.#add(found);
    const data = values.get("data");
    if (!data || data.isEmpty) return found;
    for (const member of this.#names.of(data, { isRoot: paths[0] === "" })) {
      const { key, node, isTest, count } = member;
      const place = { paths: below(paths, member.names), salt };
      const tests = isTest
        ? await this.#readTest(node, place, count)
        : await this.read(node, place);
      if (isTest) this.#add(tests);
      this.#byKey.set(key, [...this.#byKey.get(key) ?? [], ...tests]);
      for (const test of tests) found.push(test);
    }
    return found;
  }

  #add(tests: readonly NamedTest[]): void {
    if (this.#tests.length + tests.length > TESTS_MAX) {
      throw this.#files.error(FILE, `lists more than ${TESTS_MAX} tests`);
    }
    for (const test of tests) this.#tests.push(test);
  }

  async #readTest(
    node: YamlNode,
    { paths: names, salt: above }: OpenFolder,
    count: number,
  ): Promise<NamedTest[]> {
    if (node.isEmpty) return [{ names, from: { kind: "given" } }];
    const values = node.isMapping ? node.entries() : new Map([valueOf(node)]);
    const [literal, copy, command] = ["in", "copy", "generate"].map((key) => values.get(key));
    if (literal) {
      const text = literal.exactText();
      const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
      return [{ names, from: { kind: "text", text: ended } }];
    }
    if (copy) {
      const path = `${FOLDER}/${copy.text().replace(/\.in$/, "")}.in`;
      const { hostFile } = this.#files.mustBeFile(path, this.#files.find(path));
      return [{ names, from: { kind: "file", path, hostFile } }];
    }
    if (!command || command.isEmpty) return [];
    const salt = values.get("random_salt")?.exactText() ?? above;
    return [{ names, from: await this.#readCommand(command, { salt, count }) }];
  }

  async #readCommand(
    node: YamlNode,
    { salt, count }: { salt: string; count: number },
  ): Promise<GeneratedTest["from"]> {
    const command = node.exactText().trim().replaceAll("{count}", `${count}`);
    const [program = "", ...words] = command.split(/\s+/);
    // The first of several tests has the seed that it would have alone.
    const seed = await seedOf(`${salt}${count === 1 ? "" : `:${count - 1}`}${command}`);
    const args = words.map((word) =>
      word.replaceAll(SEED, `${seed}`).replaceAll("{name}", "testcase")
    );
    return { kind: "command", command, program: this.#program(program, node), args };
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

function below([one, other]: TwoNames, [name, otherName]: TwoNames): TwoNames {
  return [one === "" ? name : `${one}/${name}`, other === "" ? otherName : `${other}/${otherName}`];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A test that is only a text is a command, or in older files an input. */
function valueOf(node: YamlNode): [string, YamlNode] {
  return [/^\S+\.in$/.test(node.exactText().trim()) ? "copy" : "generate", node];
}

/** The seed is the SHA-512 of salt and command as a number, modulo 2^31: that is its last four bytes. */
async function seedOf(text: string): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-512", new TextEncoder().encode(text));
  return new DataView(digest).getUint32(60) % 2 ** 31;
}
