/** Constants of a package: what stands for `{{name}}` in its programs and settings. */

import type { YamlNode } from "../../text/yaml_node.ts";

/** The values of constants by their names. */
export type Constants = Readonly<Record<string, string>>;

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SEQUENCE = /\{\{([a-zA-Z_][a-zA-Z0-9_]*)\}\}/g;

/** Reads the key `constants`. */
export function readConstants(node: YamlNode | undefined): Constants | undefined {
  if (!node) return undefined;
  return Object.fromEntries([...node.entries()].map(([name, value]) => {
    if (!NAME.test(name)) {
      throw value.error("the name of a constant must have letters, digits and underscores only");
    }
    return [name, value.exactText()];
  }));
}

/** Puts constants into a text; names that are none are left as they are. */
export function replaceConstants(text: string, constants: Constants): string {
  return text.replace(
    SEQUENCE,
    (sequence, name) => Object.hasOwn(constants, name) ? constants[name]! : sequence,
  );
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
  } catch {
    return bytes;
  }
}
