import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { COMPLETION_SHELLS, completionScript, parseCompletionShell } from "./completions.ts";
import { CLASSIC_OPTIONS } from "./classic_options.ts";
import { COMMANDS } from "./commands.ts";
import { optionsOf } from "./option.ts";
import { UsageError } from "./complain.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const NAMES = COMMANDS.map(({ name }) => name);

async function output(program: string, args: string[]): Promise<string[]> {
  const { stdout, stderr, success } = await new Deno.Command(program, { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

/** What a real bash offers when the tab key is pressed behind the line. */
async function bashOffers(line: string): Promise<string[]> {
  const program = `${completionScript("bash")}
    COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:' COMP_LINE=$1 COMP_POINT=\${#1}
    _isolate
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return await output("bash", ["--norc", "-c", program, "bash", line]);
}

/**
 * What a real fish offers when the tab key is pressed behind the line, without the descriptions. It
 * also finds the letters anywhere in a word, each release in its own way: that is left out.
 */
async function fishOffers(line: string): Promise<string[]> {
  const program = `${completionScript("fish")}\ncomplete -C ${JSON.stringify(line)}`;
  const offers = await output("fish", ["--no-config", "-c", program]);
  const typed = line.slice(line.lastIndexOf(" ") + 1);
  return offers.map((offer) => offer.split("\t")[0] ?? "").filter((word) => word.startsWith(typed));
}

Deno.test("completionScript() knows every long option in every shell", () => {
  for (const shell of COMPLETION_SHELLS) {
    const script = completionScript(shell);
    const options = [...CLASSIC_OPTIONS, ...COMMANDS.flatMap(({ options }) => optionsOf(options))];
    for (const { long } of options) {
      assertStringIncludes(script, shell === "fish" ? `-l ${long}` : `--${long}`);
    }
  }
});

Deno.test("parseCompletionShell() refuses a shell without completions", () => {
  for (const shell of COMPLETION_SHELLS) assertEquals(parseCompletionShell(shell), shell);
  assertThrows(() => parseCompletionShell("tcsh"), UsageError, "No completions for the shell tcsh");
});

testWith([needs.command("bash")], "the bash completions are loaded by source", async () => {
  const program = `source /dev/stdin <<<"$1"; complete -p isolate`;
  assertEquals(
    await output("bash", ["--norc", "-c", program, "bash", completionScript("bash")]),
    [
      "complete -o default -F _isolate isolate",
    ],
  );
});

testWith([needs.command("bash")], "the bash completions offer option names", async () => {
  assertEquals(await bashOffers("isolate --bo"), ["--box-id=", "--box-size="]);
  assertEquals(await bashOffers("isolate --init --cg-"), ["--cg-mem=", "--cg-timing"]);
  assertEquals((await bashOffers("isolate -")).includes("-M"), true);
});

testWith(
  [needs.command("bash")],
  "the bash completions offer files and directories as values",
  async () => {
    assertEquals((await bashOffers("isolate --meta=/etc/passw")).includes("/etc/passwd"), true);
    assertEquals((await bashOffers("isolate --meta /etc/passw")).includes("/etc/passwd"), true);
    assertEquals((await bashOffers("isolate -sM /etc/passw")).includes("/etc/passwd"), true);
    assertEquals(await bashOffers("isolate --chdir=/us"), ["/usr"]);
  },
);

testWith(
  [needs.command("bash")],
  "the bash completions follow the parts of a directory rule",
  async () => {
    assertEquals(await bashOffers("isolate --dir=/us"), ["/usr"]);
    assertEquals(await bashOffers("isolate --dir=/in=/us"), ["/usr"]);
    assertEquals(await bashOffers("isolate -d /in=/usr:no"), ["noexec", "norec"]);
    assertEquals(await bashOffers("isolate -d /in=/usr:rw:m"), ["maybe"]);
  },
);

testWith(
  [needs.command("bash")],
  "the bash completions offer the options of judge behind it, and files",
  async () => {
    assertEquals(await bashOffers("isolate judge --ju"), ["--junit="]);
    assertEquals(await bashOffers("isolate judge --box"), ["--box-ids="]);
    assertEquals(
      (await bashOffers("isolate judge --html=/etc/passw")).includes("/etc/passwd"),
      true,
    );
    assertEquals(await bashOffers("isolate judge /etc/pass"), []);
    assertEquals(await bashOffers("isolate judge --cache=/us"), ["/usr"]);
    assertEquals(await bashOffers("isolate check --e"), ["--execute"]);
  },
);

testWith(
  [needs.command("bash")],
  "the bash completions offer subcommands first, and nothing behind --",
  async () => {
    assertEquals(await bashOffers("isolate "), NAMES);
    assertEquals(await bashOffers("isolate completions "), ["bash", "zsh", "fish"]);
    assertEquals(await bashOffers("isolate --run man"), []);
    assertEquals(await bashOffers("isolate --run -- --bo"), []);
  },
);

testWith([needs.command("zsh")], "the zsh completions are a correct script", async () => {
  const script = completionScript("zsh");
  assertEquals(await output("zsh", ["-f", "-n", "-c", script]), []);
  const program = `autoload -Uz compinit; compinit -u -D; ${script}; print $_comps[isolate]`;
  assertEquals(await output("zsh", ["-f", "-c", program]), ["_isolate"]);
});

testWith(
  [needs.command("fish")],
  "the fish completions offer options, values and subcommands",
  async () => {
    assertEquals(await fishOffers("isolate --bo"), ["--box-id", "--box-size"]);
    assertEquals(await fishOffers("isolate --chdir=/us"), ["--chdir=/usr/"]);
    assertEquals(await fishOffers("isolate -d /in=/usr:no"), ["/in=/usr:noexec", "/in=/usr:norec"]);
    assertEquals(await fishOffers("isolate --dir=/in=/us"), ["--dir=/in=/usr/"]);
    assertEquals((await fishOffers("isolate ")).toSorted(), NAMES.toSorted());
    assertEquals(await fishOffers("isolate judge --ju"), ["--junit"]);
    assertEquals(await fishOffers("isolate judge --me"), []);
    assertEquals(await fishOffers("isolate completions "), ["bash", "fish", "zsh"]);
  },
);
