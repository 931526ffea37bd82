/** Writes jobs, results and events as JSON, bytes as base64, and reads them again. */

/** The only key of an object that stands for bytes; nothing else in a job has this key. */
const KEY = "base64";

/** Writes data of `server/engine/types.ts` as JSON. */
export function encode(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => part instanceof Uint8Array ? { [KEY]: part.toBase64() } : part,
  );
}

/** Reads what {@linkcode encode} has written; whoever wrote it is trusted. */
export function decode<T>(text: string): T {
  return JSON.parse(text, (_, part) => {
    const isBytes = typeof part === "object" && part !== null && typeof part[KEY] === "string";
    return isBytes ? Uint8Array.fromBase64(part[KEY]) : part;
  });
}
