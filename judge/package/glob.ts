/** Patterns of names: `*` within a name, `{a,b}` for alternatives. */

const ALTERNATIVES_MAX = 1000;

/** Tells whether a pattern matches a path or a folder above it. */
export function matchesBelow(pattern: string, path: string): boolean {
  const names = path.split("/");
  return alternatives(pattern).some((one) => {
    const patterns = one.split("/");
    return patterns.length <= names.length &&
      patterns.every((pattern, i) => matchesName(pattern, names[i]!));
  });
}

/** Expands braces from the left; more than a thousand alternatives are not looked at. */
function alternatives(pattern: string): string[] {
  const done: string[] = [];
  const todo = [pattern];
  for (let one; done.length < ALTERNATIVES_MAX && (one = todo.shift()) !== undefined;) {
    const match = /^([^{}]*)\{([^{}]*)\}([^]*)$/.exec(one);
    if (!match) done.push(one);
    else todo.push(...match[2]!.split(",").map((word) => match[1]! + word + match[3]!));
    todo.length = Math.min(todo.length, ALTERNATIVES_MAX);
  }
  return done;
}

/** Matches without going back further than to the last star: a pattern of many is no trap. */
function matchesName(pattern: string, name: string): boolean {
  let [at, place, star, from] = [0, 0, -1, 0];
  while (at < name.length) {
    if (pattern[place] === "*") [star, from] = [place++, at];
    else if (pattern[place] === name[at]) [place, at] = [place + 1, at + 1];
    else if (star >= 0) [place, at] = [star + 1, ++from];
    else return false;
  }
  return /^\**$/.test(pattern.slice(place));
}
