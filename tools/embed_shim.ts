/**
 * Writes `ffi/embedded.ts`: the built shims of both architectures as text, for programs that have
 * no file beside them (compiled binaries, and modules from a registry).
 */

const shims = ["x86_64", "aarch64"].map((arch) => {
  const bytes = Deno.readFileSync(new URL(`../lib/libisolate-${arch}.so`, import.meta.url));
  return `  ${arch}:\n    "${bytes.toBase64()}",\n`;
});

Deno.writeTextFileSync(
  new URL("../ffi/embedded.ts", import.meta.url),
  `/** The shims of both architectures as base64. Written by \`./dev shim\`; do not edit. */

// deno-fmt-ignore-file
const SHIMS = {
${shims.join("")}};

/** Decodes the shim that the program carries, which is the same as in \`lib/\`. */
export function embeddedShim(arch: "x86_64" | "aarch64"): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(SHIMS[arch]);
}
`,
);
