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
