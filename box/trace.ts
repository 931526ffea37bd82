/** Showing plans before they are executed. */

/**
 * Is told of every plan before it is executed.
 *
 * @param title what the plan is for
 * @param print gives the plan's steps, one line each, in the style of strace
 */
export type PlanTrace = (title: string, print: () => string[]) => void;

/**
 * Is told what the sandbox does.
 *
 * @param level 1: what is done; 2: with which values, and what was seen
 * @param message one line, or several; made only if it is wanted
 */
export type Log = (level: 1 | 2 | 3, message: () => string) => void;
