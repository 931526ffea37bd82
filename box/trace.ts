/** What a caller can be told while the sandbox works. */

/**
 * Receives every plan before it is executed.
 *
 * @param title what the plan is for
 * @param print formats the plan's steps, one line each, in the style of strace
 */
export type PlanTrace = (title: string, print: () => string[]) => void;

/**
 * Receives what the sandbox does.
 *
 * @param level 1: what is done; 2: with which values, and what was seen; 3: the system call filter
 * @param message formats one line, or several
 */
export type Log = (level: 1 | 2 | 3, message: () => string) => void;
