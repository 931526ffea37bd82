/** Holds options against the form that their types promise: not every caller's code is type-checked. */

import { nearest } from "./suggest.ts";

/** The form of an option. */
export interface Form {
  /** What it takes, as the rest of a sentence that begins with "must be". */
  readonly expects: string;
  readonly accepts: (value: unknown) => boolean;
}

/** The form of every option of a type: one that is added to the type must be added here too. */
export type Forms<Options> = { readonly [Name in keyof Required<Options>]: Form };

/** True or false. */
export const SWITCH: Form = {
  expects: "true or false",
  accepts: (value) => typeof value === "boolean",
};

/** A function. */
export const CALLBACK: Form = {
  expects: "a function",
  accepts: (value) => typeof value === "function",
};

/** A text. */
export const TEXT: Form = { expects: "a string", accepts: (value) => typeof value === "string" };

/** An `AbortSignal`. */
export const SIGNAL: Form = {
  expects: "an AbortSignal",
  accepts: (value) => value instanceof AbortSignal,
};

/** Something that its own function checks. */
export const ANYTHING: Form = { expects: "anything", accepts: () => true };

/** A number that is not negative, and whole if that is said. */
export function amount(unit: string, { whole = true } = {}): Form {
  return {
    expects: `${whole ? "a whole number" : "a number"} of ${unit}, 0 or more`,
    accepts: (value) =>
      typeof value === "number" && value >= 0 &&
      (whole ? Number.isSafeInteger(value) : Number.isFinite(value)),
  };
}

/** Some values, or another form. */
export function oneOf(values: readonly string[], other?: Form): Form {
  const words = values.map((value) => JSON.stringify(value));
  return {
    expects: [...words, ...other ? [other.expects] : []].join(" or "),
    accepts: (value) => values.includes(value as string) || (other?.accepts(value) ?? false),
  };
}

/** A list of something. */
export function listOf(what: string, accepts: (value: unknown) => boolean): Form {
  return {
    expects: `an array of ${what}`,
    accepts: (value) => Array.isArray(value) && value.every(accepts),
  };
}

/** An object of a class, or of a form that is described. */
export function object(expects: string, accepts: (value: object) => boolean): Form {
  return {
    expects,
    accepts: (value) => typeof value === "object" && value !== null && accepts(value),
  };
}

/**
 * Refuses options that have another form than their type says: unknown ones, and wrong values. Undefined
 * is always right.
 *
 * `what` names them, such as "limits".
 */
export function checkForms<Options extends object>(
  what: string,
  options: Options,
  forms: Forms<Options>,
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`The ${what} must be an object, but got: ${show(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    const form = Object.hasOwn(forms, name) ? forms[name as keyof Options] : undefined;
    if (form === undefined) {
      const names = Object.keys(forms);
      const meant = nearest(name, names) ?? names.find((known) => known.startsWith(name));
      const hint = meant === undefined ? `there are ${names.join(", ")}` : `did you mean ${meant}?`;
      throw new TypeError(`There is no ${JSON.stringify(name)} in the ${what} (${hint})`);
    }
    if (value !== undefined && !form.accepts(value)) {
      throw new TypeError(
        `${name} in the ${what} must be ${form.expects}, but got: ${show(value)}`,
      );
    }
  }
}

/** Shows a value in a message, shortly. */
export function show(value: unknown): string {
  const text = typeof value === "string" || Array.isArray(value) || value?.constructor === Object
    ? safeJson(value)
    : typeof value === "object" && value !== null
    ? `a ${value.constructor?.name ?? "nameless object"}`
    : String(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "an object";
  }
}
