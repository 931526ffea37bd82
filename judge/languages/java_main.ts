/**
 * Reads from the text of Java files what their names must be, and which class has the main method: the
 * compiler expects the first, and does not tell the second.
 */

/** What a Java file declares. */
export interface JavaFile {
  /** The package, with dots; empty: none. */
  readonly packageName: string;
  /** The public class, interface, enum or record; undefined: none. */
  readonly publicType: string | undefined;
  /** The class with a main method, without the package; undefined: none. */
  readonly mainType: string | undefined;
}

const TYPE = /\b(?:class|interface|enum|record)\s+([\p{L}_$][\p{L}\p{N}_$]*)/gu;
const MAIN = /\bstatic\s+(?:(?:public|final|synchronized|strictfp)\s+){0,4}void\s+main\s*\(/;

/** Reads what a Java file declares. */
export function readJavaFile(text: string): JavaFile {
  const code = withoutText(text);
  const packageName = /^\s*(?:@[\w.]+\s*)*package\s+([\p{L}\p{N}_$.]+)\s*;/u.exec(code)?.[1] ?? "";
  let at = 0;
  let publicType: string | undefined;
  let mainType: string | undefined;
  // Only declarations outside of all braces count.
  for (const { start, end } of topLevelBodies(code)) {
    const head = code.slice(at, start);
    const name = [...head.matchAll(TYPE)].at(-1)?.[1];
    const declaration = head.slice(head.lastIndexOf(";") + 1);
    if (name !== undefined && /\bpublic\b/.test(declaration)) publicType ??= name;
    if (name !== undefined && MAIN.test(code.slice(start, end))) mainType ??= name;
    at = end;
  }
  return { packageName, publicType, mainType };
}

/** Replaces comments, strings and characters by spaces. */
function withoutText(text: string): string {
  const pattern =
    /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"""[^]*?(?:"""|$)|"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]|[^'\\\n])*'?/g;
  return text.replace(pattern, " ");
}

function* topLevelBodies(code: string): Generator<{ start: number; end: number }> {
  let depth = 0;
  let start = 0;
  for (let i = 0; i < code.length; i++) {
    if (code[i] === "{" && depth++ === 0) start = i;
    if (code[i] === "}" && depth > 0 && --depth === 0) yield { start, end: i + 1 };
  }
}

/** The file names of a Java program and its main class. */
export interface JavaProgram {
  /** The name that each file must have, by its present name. */
  readonly names: ReadonlyMap<string, string>;
  /** The class with the main method and its package; undefined if none has one. */
  readonly mainClass: string | undefined;
  /** Other classes with a main method. */
  readonly otherMains: readonly string[];
}

/**
 * Finds the main class of a program and the names of its files: a public class needs a file of its name,
 * but a submission can have any name.
 */
export function javaProgram(files: ReadonlyMap<string, string>): JavaProgram {
  const names = new Map<string, string>();
  const taken = new Set(files.keys());
  const mains: { name: string; whole: string }[] = [];
  for (const [file, text] of files) {
    const { packageName, publicType, mainType } = readJavaFile(text);
    const folder = file.slice(0, file.lastIndexOf("/") + 1);
    const wanted = publicType === undefined ? file : `${folder}${publicType}.java`;
    const name = wanted === file || taken.has(wanted) ? file : wanted;
    taken.add(name);
    names.set(file, name);
    if (mainType !== undefined) {
      const whole = packageName === "" ? mainType : `${packageName}.${mainType}`;
      mains.push({ name: mainType, whole });
    }
  }
  const main = mains.find(({ name }) => name === "Main") ?? mains[0];
  const otherMains = mains.filter((one) => one !== main).map(({ whole }) => whole);
  return { names, mainClass: main?.whole, otherMains };
}
