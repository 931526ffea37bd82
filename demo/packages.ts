/** Judges the packages of `examples/` with the command, as a person would type it. */

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** The packages, in the order in which they are judged. */
export function packageNames(words: readonly string[]): string[] {
  return [...Deno.readDirSync(`${ROOT}/examples`)]
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name)
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort();
}

/** Verifies one; gives whether every submission got what its folder promises. */
export async function judgeExample(name: string): Promise<boolean> {
  const report = `${ROOT}/dist/demo/${name}.html`;
  await Deno.mkdir(`${ROOT}/dist/demo`, { recursive: true });
  console.log(`\nisolate judge examples/${name} --html=dist/demo/${name}.html`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-ffi",
      `${ROOT}/isolate.ts`,
      "judge",
      "--no-cache",
      `--html=${report}`,
      `${ROOT}/examples/${name}`,
    ],
    stdin: "null",
  }).spawn();
  return (await child.status).success;
}
