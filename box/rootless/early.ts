/**
 * Enters the user namespace before the rest of the command is loaded: all that was loaded until then is
 * loaded twice.
 */

import { System } from "../../ffi/system.ts";
import { needsUserNamespace, standingOf } from "../../host/identity.ts";

/** The options by which a classic command works on a box, also abbreviated. */
const USES_BOX = /^--(i|r|c)/;
/** Who asks for more words wants to read the plan, too. */
const IS_VERBOSE = /^(--v|-[^-]*v)/;

/**
 * Executes this process again as root of a user namespace, if its command line will need that. Where there
 * can be none it comes back: it is told again where the command knows how to say it.
 */
export async function enterEarly(args: readonly string[]): Promise<void> {
  if (!args.some((arg) => USES_BOX.test(arg)) || args.some((arg) => IS_VERBOSE.test(arg))) return;
  try {
    const system = await System.load();
    const standing = standingOf(system);
    if (!needsUserNamespace(standing)) return;
    const { enterUserNamespace } = await import("./enter.ts");
    enterUserNamespace(system, standing);
  } catch {
    // The command fails for the same reason.
  }
}
