/** What keeps a search for a test from going on. */

import { ExpectedError } from "../../text/errors.ts";

/** A program cannot be compiled, or the generator writes what is no input. */
export class StressError extends ExpectedError {}
