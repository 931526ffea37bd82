/** What is wrong with a problem package. */

import { FileError } from "../../text/errors.ts";

/** A package cannot be judged with. The message begins with the place: `FILE:LINE: KEY: REASON`. */
export class PackageError extends FileError {
  /** Always `"PackageError"`. */
  override readonly name = "PackageError";
}
