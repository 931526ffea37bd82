import { assertEquals } from "@std/assert";
import { javaProgram, readJavaFile } from "./java_main.ts";

Deno.test("readJavaFile() finds package, public type and main type", () => {
  const text = `/* class Wrong { */
// public class Wrong2 {
package a.b_c;
import java.util.*;
@Deprecated public final class Right<T> extends Object {
  String text = "class Wrong3 { } \\" {", more = """
    public class Wrong4 {{ " """;
  char brace = '{', quote = '\\'';
  public static void main(String[] args) {}
}
class Other { interface Inner { } }
`;
  assertEquals(readJavaFile(text), {
    packageName: "a.b_c",
    publicType: "Right",
    mainType: "Right",
  });
});

Deno.test("readJavaFile() finds a main method in a class that is not public", () => {
  const text = "class Helper {}\nclass Start { static public void main(String... a) { } }";
  assertEquals(readJavaFile(text), {
    packageName: "",
    publicType: undefined,
    mainType: "Start",
  });
});

Deno.test("readJavaFile() takes the class outside for one inside that has the main method", () => {
  const text = "public class Out { static class In { public static void main(String[] a) {} } }";
  assertEquals(readJavaFile(text).mainType, "Out");
});

Deno.test("readJavaFile() knows records, enums and interfaces, and names with other letters", () => {
  assertEquals(readJavaFile("public record Paar(int a) { }").publicType, "Paar");
  assertEquals(readJavaFile("public enum Größe { A }").publicType, "Größe");
  assertEquals(readJavaFile("public interface I$ { }").publicType, "I$");
});

Deno.test("readJavaFile() finds nothing in what is not Java", () => {
  const nothing = { packageName: "", publicType: undefined, mainType: undefined };
  for (const text of ["", "}}}}", "{{{{", "public class", '"', "'", "/*", "\0\uffff", '"""']) {
    assertEquals(readJavaFile(text), nothing, text);
  }
});

Deno.test("readJavaFile() is fast for hostile texts", () => {
  // A quadratic search would take minutes.
  for (const piece of ["{", "/*", '"', "class A ", "static void ", "public ", "@a "]) {
    readJavaFile(piece.repeat(100_000 / piece.length));
  }
});

Deno.test("javaProgram() names files after their public types", () => {
  const { names, mainClass } = javaProgram(
    new Map([
      ["sub/b.java", "package sub; public class B { }"],
      ["x.java", "public class Start { public static void main(String[] a) { } }"],
    ]),
  );
  assertEquals([...names], [["sub/b.java", "sub/B.java"], ["x.java", "Start.java"]]);
  assertEquals(mainClass, "Start");
});

Deno.test("javaProgram() prefers the class Main, and leaves names alone that are taken", () => {
  const main = "{ public static void main(String[] a) { } }";
  const { names, mainClass } = javaProgram(
    new Map([
      ["A.java", `public class Main ${main}`],
      ["Main.java", `package p; class First ${main}`],
      ["Z.java", `class Main ${main}`],
    ]),
  );
  assertEquals(names.get("A.java"), "A.java");
  assertEquals(mainClass, "Main");
});

Deno.test("javaProgram() names other classes with a main method", () => {
  const main = "{ public static void main(String[] a) { } }";
  const { mainClass, otherMains } = javaProgram(
    new Map([["A.java", `class A ${main}`], ["B.java", `package p; class B ${main}`]]),
  );
  assertEquals([mainClass, otherMains], ["A", ["p.B"]]);
});
