import { assert, assertEquals } from "@std/assert";
import { needs, testWith } from "../../tests/support/skip.ts";
import { dependenciesIn, filesOfInstalled, installedClosure } from "./debian.ts";

Deno.test("dependenciesIn() takes of alternatives the first that is there", () => {
  const has = (name: string) => name !== "missing";
  const field = "libc6 (>= 2.34), missing | second (= 1), python3:any, missing, ";
  assertEquals(dependenciesIn(field, has), ["libc6", "second", "python3"]);
});

testWith(
  [needs.command("dpkg-query")],
  "installedClosure() brings the libraries along",
  async () => {
    const closure = await installedClosure(["dash", "no-such-package"]);
    assert(closure.includes("dash") && closure.includes("libc6"), closure.join(" "));
    const files = await filesOfInstalled(["dash"]);
    assert(files.some((file) => file.endsWith("/bin/dash")), files.join(" "));
  },
);
