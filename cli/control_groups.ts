/** `isolate cg-setup` and `isolate cg-keeper`: make the control group of all boxes, or keep it. */

import { keepControlGroups, setUpControlGroups } from "../service/control_groups.ts";
import type { ServiceRequest } from "./commands.ts";
import { describeError, tell, write } from "./complain.ts";

/** `isolate cg-setup`. */
export async function setUpGroups(request: ServiceRequest): Promise<number> {
  write(Deno.stdout, `${await setUpControlGroups(setupOptions(request))}\n`);
  return 0;
}

/** `isolate cg-keeper`. */
export async function keepGroups(request: ServiceRequest): Promise<number> {
  await keepControlGroups({
    ...setupOptions(request),
    onReloadFailure: (error) => tell(`Nothing was reloaded: ${describeError(error)}`),
  });
  return 0;
}

function setupOptions({ configFile, verbosity }: ServiceRequest) {
  const log = (level: number, message: () => string) => {
    if (verbosity >= level) tell(message());
  };
  return { configFile, log };
}
