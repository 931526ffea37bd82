/** What a service has open, to see whether something stays. */

/** The service remembers so many programs, each in a memory file. */
const REMEMBERED_MAX = 32;

/** What the descriptors of a service lead to, with N for every number, but for the programs that it may remember. */
export function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  let remembered = 0;
  return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`${folder}/${name}`);
      const isPlan = target.startsWith("/memfd:isolate-plan");
      return isPlan && ++remembered <= REMEMBERED_MAX ? [] : [target.replace(/\d+/g, "N")];
    } catch {
      return []; // The service has closed it meanwhile.
    }
  });
}

/** The same once nothing changes any more: after a run the service still prepares the next one. */
export async function settledDescriptorsOf(pid: number): Promise<string[]> {
  let before = descriptorsOf(pid).sort();
  for (let same = 0; same < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = descriptorsOf(pid).sort();
    same = now.join() === before.join() ? same + 1 : 0;
    before = now;
  }
  return before;
}
