/** Names tests by their content, so that what was found out about them can be kept. */

import type { HostFiles } from "../../mod.ts";
import { sha256 } from "../compile/compile_cache.ts";
import type { TestCase, TestGroup } from "../types.ts";

/** Larger files are looked at again each time. */
const FILE_BYTES = 64 << 20;

/** A test in its group. */
export interface PlacedTest {
  readonly test: TestCase;
  readonly group: TestGroup;
}

/** Lists the tests that have an input. */
export function testsIn(group: TestGroup): PlacedTest[] {
  return group.members.flatMap((member) => {
    if (member.kind === "group") return testsIn(member.group);
    return member.test.staticFlags ? [] : { test: member.test, group };
  });
}

/** Describes tests by their content; each file is read once. */
export class TestDigests {
  readonly #host: HostFiles;
  readonly #files = new Map<string, Promise<string>>();

  constructor(host: HostFiles) {
    this.#host = host;
  }

  /** Describes tests by their content and arguments; undefined if that is too much to be read. */
  async of(tests: readonly PlacedTest[]): Promise<readonly unknown[] | undefined> {
    const digests: unknown[] = [];
    for (const { test, group } of tests) {
      const { name, inputFile, answerFile, args = group.args } = test;
      const { inputFlags = group.inputFlags, validatorFlags = group.validatorFlags } = test;
      const files: string[] = [];
      const others = test.files?.map(({ hostFile }) => hostFile) ?? [];
      for (const file of [inputFile, answerFile, ...others]) {
        if ((this.#host.status(file)?.sizeBytes ?? Infinity) > FILE_BYTES) return undefined;
        files.push(await this.#digest(file));
      }
      const names = test.files?.map(({ name }) => name);
      digests.push([name, files, names, args, inputFlags, validatorFlags]);
    }
    return digests;
  }

  #digest(file: string): Promise<string> {
    let digest = this.#files.get(file);
    if (digest === undefined) {
      const options = { limitBytes: FILE_BYTES, followLinks: false };
      digest = sha256(this.#host.readBytes(file, options));
      this.#files.set(file, digest);
    }
    return digest;
  }
}

/** Describes tests by their content and arguments; undefined if that is too much to be read. */
export async function testsDigest(
  host: HostFiles,
  tests: readonly PlacedTest[],
): Promise<readonly unknown[] | undefined> {
  return await new TestDigests(host).of(tests);
}
