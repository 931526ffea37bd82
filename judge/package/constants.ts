/** Constants of a package: what stands for `{{name}}` in its programs and settings. */

import { ExpectedError } from "../../text/errors.ts";
import type { YamlNode } from "../../text/yaml_node.ts";

/** The values of constants by their names. */
export type Constants = Readonly<Record<string, string>>;

/** Where each sequence has five characters, longer values make files without end. */
const VALUE_LENGTH_MAX = 1000;
const TEXT_LENGTH_MAX = 64 << 20;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SEQUENCE = /\{\{([a-zA-Z_][a-zA-Z0-9_]*)\}\}/g;

/** Reads the key `constants`. */
export function readConstants(node: YamlNode | undefined): Constants | undefined {
  if (!node) return undefined;
  return Object.fromEntries([...node.entries()].map(([name, value]) => {
    if (!NAME.test(name)) {
      throw value.error("the name of a constant must have letters, digits and underscores only");
    }
    const text = value.exactText();
    if (text.length <= VALUE_LENGTH_MAX) return [name, text];
    throw value.error(`is longer than ${VALUE_LENGTH_MAX} characters: it has ${text.length}`);
  }));
}

/** Puts constants into a text; names that are none are left as they are. */
export function replaceConstants(text: string, constants: Constants): string {
  let length = text.length;
  return text.replace(SEQUENCE, (sequence, name) => {
    if (!Object.hasOwn(constants, name)) return sequence;
    const value = constants[name]!;
    length += value.length - sequence.length;
    if (length > TEXT_LENGTH_MAX) {
      throw new ExpectedError(
        `Its constants make a file of more than ${TEXT_LENGTH_MAX} characters`,
      );
    }
    return value;
  });
}

/** Puts constants into a file; one that is no text is left as it is. */
export function replaceInBytes(
  bytes: Uint8Array<ArrayBuffer>,
  constants: Constants | undefined,
): Uint8Array<ArrayBuffer> {
  if (!constants) return bytes;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const replaced = replaceConstants(text, constants);
    return replaced === text ? bytes : new TextEncoder().encode(replaced);
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    return bytes;
  }
}
