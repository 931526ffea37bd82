// The types of colors.ts, as far as they are used. The npm packaging carries none.

/** Returns the text as it is when colours are off: `NO_COLOR`, or {@linkcode setColorEnabled}. */
export function bold(text: string): string;
export function cyan(text: string): string;
export function dim(text: string): string;
export function green(text: string): string;
export function magenta(text: string): string;
export function red(text: string): string;
export function yellow(text: string): string;
export function setColorEnabled(value: boolean): void;
export function stripAnsiCode(text: string): string;
