/** Compilers in boxes: what they make, and whatever can go wrong with them. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Box, sharedSandbox } from "isolate/mod.ts";
import { Compiler } from "isolate/judge/compile/compile.ts";
import { HostFiles } from "isolate/host/files.ts";
import { assertNobodyLeft } from "isolate/tests/support/attack.ts";
import { needsControlGroup } from "isolate/tests/support/control_group.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";
import { SUMS } from "isolate/tests/support/programs/sums.ts";
import { languages, Workbench } from "isolate/tests/support/workbench.ts";

const BOX_ID = 965;
const OTHER_BOX_ID = 966;
const known = await languages();

const open = (options: { cacheDirectory?: string; controlGroup?: boolean } = {}) =>
  Workbench.open(BOX_ID, { table: known.table, ...options });

/** The package's own scripts play any compiler that does what it should not. */
const scripts = (build: string, run = "#!/bin/sh\n") => ({ build: `#!/bin/sh\n${build}\n`, run });
const validator = { kind: "validator" } as const;

/** Names of all files below a directory. */
async function filesBelow(directory: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) names.push(...await filesBelow(`${directory}/${name}`, `${prefix}${name}/`));
    else names.push(prefix + name);
  }
  return names.sort();
}

testWith(
  [known.needs("cpp")],
  "a compile error is reported with the compiler's first line",
  async () => {
    await using bench = await open();
    const { result, program, judgeError } = await bench.compile({
      "wrong.cpp": "int main() {\n  return x;\n}\n",
    });
    assertEquals([result.ok, program, judgeError], [false, undefined, undefined]);
    assertMatch(result.message, /^wrong\.cpp:2:10: error: .*x.* was not declared/);
    assert(result.output.includes("return x;"), result.output);
    assertEquals(result.language, "C++");
  },
);

for (
  const [id, files] of [
    ["python3", { "wrong.py": "print('a'\n" }],
    ["java", { "Wrong.java": "class Wrong { void f() { int a = ; } }" }],
    ["javascript", { "wrong.js": "const a = ;\n" }],
    ["deno", { "wrong.ts": "const a: number = ;\n" }],
    ["rust", { "wrong.rs": "fn main() { x }\n" }],
    ["csharp", { "wrong.cs": "class Wrong { static void Main() { x; } }\n" }],
    ["pascal", { "wrong.pas": "begin x := 1; end.\n" }],
    ["shell", { "wrong.sh": "if true\n" }],
  ] as const
) {
  testWith(
    [known.needs(id)],
    `an error is found before a program is run in ${id}`,
    async () => {
      await using bench = await open();
      const { result, program, judgeError } = await bench.compile(files);
      assertEquals([result.ok, program, judgeError], [false, undefined, undefined]);
      assertMatch(result.message, /error/i);
    },
  );
}

testWith([needs.root()], "a compiler that burns CPU time is stopped", async () => {
  await using bench = await open();
  const { result, judgeError } = await bench.compile(scripts("while :; do :; done"), {
    ...validator,
    limits: { timeMs: 300 },
  });
  assertEquals(result.message, "The compiler took more than 0.300 s of CPU time");
  assertEquals([result.ok, judgeError], [false, undefined]);
});

testWith([needs.root()], "a compiler that sleeps is stopped", async () => {
  await using bench = await open();
  const { result } = await bench.compile(scripts("exec sleep 1000"), {
    ...validator,
    limits: { timeMs: 100, wallTimeMs: 500 },
  });
  assertEquals(result.message, "The compiler took more than 0.500 s");
});

testWith([needsControlGroup.any()], "a compiler that forks forever is stopped", async () => {
  await using bench = await open();
  const { result } = await bench.compile(scripts("f() { f & f & }\nf; while :; do f; done"), {
    ...validator,
    limits: { timeMs: 1000 },
  });
  assertEquals(result.ok, false);
  assertMatch(result.message, /fork|CPU time/);
  await assertNobodyLeft(BOX_ID);
});

testWith(
  [needsControlGroup.any()],
  "a compiler that needs too much memory is stopped",
  async () => {
    await using bench = await open();
    const { result } = await bench.compile(
      scripts("head -c 300m /dev/zero | tail -c 299m >/dev/null"),
      {
        ...validator,
        limits: { memoryKib: 64 << 10 },
      },
    );
    assertEquals(result.message, "The compiler needed more than 64 MiB of memory");
  },
);

testWith([known.needs("c")], "a compiler that writes gigabytes to a file is stopped", async () => {
  await using bench = await open();
  const { result, judgeError } = await bench.compile({
    "huge.c": "char huge[1L << 30] = {1};\nint main(void) { return 0; }\n",
  });
  assertEquals([result.ok, judgeError], [false, undefined]);
  assertMatch(result.message, /File size limit exceeded|too large|error/);
});

testWith([needs.root()], "a compiler that fills the disk with many files is stopped", async () => {
  await using bench = await open();
  const script = "i=0; while :; do i=$((i + 1)); truncate -s 200M big$i; done";
  const { result, judgeError } = await bench.compile(scripts(script), validator);
  assertEquals(result.message, "The compiler wrote more than 512 MiB to files");
  assertEquals([result.ok, judgeError], [false, undefined]);
});

testWith([needs.root()], "what a compiler leaves is refused if it is too much", async () => {
  await using bench = await open();
  const script = "for i in 1 2 3; do truncate -s 200M big$i; done";
  const { result, judgeError } = await bench.compile(scripts(script), validator);
  assertEquals(result.message, "The compiler has made more than 512 MiB");
  assertEquals([result.ok, judgeError], [false, undefined]);
});

testWith([known.needs("c")], "output beyond 64 KiB is thrown away", async () => {
  await using bench = await open();
  const { result } = await bench.compile({ "many.c": "int x = y;\n".repeat(2000) });
  assertEquals(result.ok, false);
  assert(result.output.length <= 65536, `${result.output.length}`);
});

testWith([needs.root()], "a source that is too large is refused", async () => {
  await using bench = await open();
  const { result, judgeError } = await bench.compile({ "long.sh": ":\n".repeat(1024) }, {
    limits: { codeKib: 1 },
  });
  assertEquals(result.message, "The source has 2 KiB, more than the 1 KiB allowed");
  assertEquals([result.ok, judgeError], [false, undefined]);
});

testWith(
  [known.needs("c")],
  "a source cannot read the host's files through its compiler",
  async () => {
    await using bench = await open();
    const secret = /root:|:\/root/;
    for (
      const source of [
        "#include </etc/passwd>\n",
        '#include "/etc/shadow"\n',
        'asm(".incbin \\"/etc/passwd\\"");\n',
        '#include "/proc/self/environ"\n',
        '#include "../../../../etc/passwd"\n',
      ]
    ) {
      const { result } = await bench.compile({
        "spy.c": `${source}int main(void) { return 0; }\n`,
      });
      assertEquals(secret.test(result.output + result.message), false, result.output);
      if (!source.includes("proc")) assertEquals(result.ok, false, source);
    }
  },
);

testWith([known.needs("c")], "a source that includes an endless device ends", async () => {
  await using bench = await open();
  for (const device of ["/dev/random", "/dev/zero", "/dev/stdin"]) {
    const { result } = await bench.compile(
      { "endless.c": `#include "${device}"\nint main(void) { return 0; }\n` },
      { limits: { timeMs: 2000, memoryKib: 256 << 10 } },
    );
    if (device !== "/dev/stdin") assertEquals(result.ok, false, device);
    assert(result.output.length <= 65536);
  }
});

testWith([needs.root()], "only regular files become part of a program", async () => {
  await using bench = await open();
  const build = `mkdir -p a/b && echo x > a/b/plain && ln -s /etc/passwd link && mkfifo pipe
ln -s /etc directory && ln plain2 hard 2>/dev/null; chmod 6777 a/b/plain || chmod 777 a/b/plain; chmod 000 a`;
  const program = await bench.program(
    scripts(build, "#!/bin/sh\ncat /program/a/b/plain"),
    validator,
  );
  assertEquals(await filesBelow(program.directory), ["a/b/plain", "build", "run"]);
  const { mode, uid } = Deno.statSync(`${program.directory}/a/b/plain`);
  assertEquals([mode! & 0o7777, uid], [0o755, 0]);
  assertEquals((await bench.run(program)).stdout, "x\n");
});

testWith([needs.root()], "a validator's own scripts build and run it", async () => {
  await using bench = await open();
  const files = scripts(
    'printf "#!/bin/sh\\necho \\"built with \\$#: \\$1\\"\\n" > made; chmod 755 made',
    '#!/bin/sh\nexec "${0%/*}/made" "$@"\n',
  );
  const { result, program } = await bench.compile(files, validator);
  assertEquals([result.ok, result.language], [true, "build and run scripts"]);
  const { stdout } = await bench.run(program!, { args: ["one", "two"] });
  assertEquals(stdout, "built with 2: one\n");
});

testWith(
  [needs.command("cc")],
  "a build script finds the compiler by the name of the system",
  async () => {
    await using bench = await open();
    const files = {
      ...scripts("cc -o made main.c", '#!/bin/sh\nexec "${0%/*}/made"\n'),
      "main.c": '#include <stdio.h>\nint main(void) { puts("by cc"); }\n',
    };
    const { result, program } = await bench.compile(files, validator);
    assertEquals([result.ok, result.output], [true, ""]);
    assertEquals((await bench.run(program!)).stdout, "by cc\n");
  },
);

testWith([needs.root()], "a build script that makes no ./run is an error", async () => {
  await using bench = await open();
  const { result, judgeError } = await bench.compile(scripts("rm run"), validator);
  assertEquals(result.message, "The compiler made no run");
  assertEquals(judgeError, undefined);
});

testWith([needs.root()], "a program cannot change itself between tests", async () => {
  await using bench = await open();
  const script = 'echo changed > "$0"; echo more > /program/more; cat /program/self.sh | wc -l\n';
  const program = await bench.program({ "self.sh": script });
  for (let test = 0; test < 2; test++) {
    const { stdout, stderr } = await bench.run(program);
    assertEquals(stdout.trim(), "1");
    assertMatch(stderr, /Read-only file system/);
  }
});

for (
  const [id, files, stdout] of [
    [
      "cpp",
      {
        "a.cpp": '#include "sub/b.h"\n#include <cstdio>\nint main() { printf("%d\\n", b()); }\n',
        "sub/b.h": "int b();\n",
        "sub/b.cpp": "int b() { return 7; }\n",
      },
      "7\n",
    ],
    [
      "python3",
      {
        "main.py":
          "from part import seven\nprint(seven())\nprint(open('/program/data.txt').read())\n",
        "part.py": "def seven(): return 7\n",
        "data.txt": "data",
      },
      "7\ndata\n",
    ],
    [
      "java",
      {
        "start.java":
          "package deep.er;\npublic class Start { public static void main(String... a) { System.out.println(other.Part.seven()); } }\n",
        "Part.java":
          "package other;\npublic class Part { public static int seven() { return 7; } }\n",
      },
      "7\n",
    ],
    ["rust", {
      "main.rs": 'mod part;\nfn main() { println!("{}", part::SEVEN); }\n',
      "part.rs": "pub const SEVEN: i32 = 7;\n",
    }, "7\n"],
    ["javascript", {
      "main.mjs": 'import { seven } from "./part.mjs";\nconsole.log(seven);\n',
      "part.mjs": "export const seven = 7;\n",
    }, "7\n"],
    ["deno", {
      "main.ts": 'import { seven } from "./part.ts";\nconsole.log(seven);\n',
      "part.ts": "export const seven: number = 7;\n",
    }, "7\n"],
    [
      "csharp",
      {
        "a.cs": "class A { static void Main() { System.Console.WriteLine(B.Seven); } }\n",
        "b.cs": "class B { public static int Seven = 7; }\n",
      },
      "7\n",
    ],
    [
      "pascal",
      {
        "main.pas": "uses part;\nbegin writeln(seven); end.\n",
        "part.pas": "unit part;\ninterface\nconst seven = 7;\nimplementation\nend.\n",
      },
      "7\n",
    ],
    ["shell", { "main.sh": ". /program/part.sh\necho $seven\n", "part.sh": "seven=7\n" }, "7\n"],
  ] as const
) {
  testWith([known.needs(id)], `a program of several files works in ${id}`, async () => {
    await using bench = await open();
    const ran = await bench.run(await bench.program(files));
    assertEquals({ stdout: ran.stdout, stderr: ran.stderr }, { stdout, stderr: "" });
  });
}

testWith(
  [known.needs("c")],
  "names of files are not options and not lists of arguments",
  async () => {
    await using bench = await open();
    const text = SUMS.c!["sum.c"]!;
    for (const name of ["-o.c", "@a.c", "a b.c", "ü.c", "$(id).c", "-.c", "program", "'.c"]) {
      const program = await bench.program({ [name]: text }, { language: "c" }).catch((error) => {
        // gcc does not know what a file without an ending is.
        if (name === "program") return undefined;
        throw new Error(`${name}: ${error.message}`);
      });
      if (program) assertEquals((await bench.run(program, { stdin: "1 2" })).stdout, "3\n", name);
    }
  },
);

testWith([known.needs("python3")], "which file is the main one must be clear", async () => {
  await using bench = await open();
  const { result, judgeError } = await bench.compile({ "a.py": "", "b.py": "" });
  assertEquals(
    result.message,
    "Cannot tell which of its 2 files is the main one: none is called main.py or __main__.py",
  );
  assertEquals(judgeError, undefined);
});

testWith([known.needs("java")], "a Java program needs a main method", async () => {
  await using bench = await open();
  const { result } = await bench.compile({ "A.java": "public class A { void main2() {} }" });
  assertEquals(result.message, "There is no class with a method `static void main`");
});

Deno.test("a language whose tools are missing is a judge error with the places looked at", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await withFolder(async (folder) => {
    const { loadLanguages } = await import("isolate/judge/languages/languages.ts");
    const host = new HostFiles(await sharedSandbox());
    const table = await loadLanguages(host, { environment: new Map([["PATH", folder]]) });
    await using bench = await Workbench.open(BOX_ID, { table });
    const { result, judgeError } = await bench.compile(SUMS.cpp!);
    assertEquals(judgeError, true);
    assertEquals(
      result.message,
      "C++ is not set up: install g++ or clang++, or see --languages",
    );
  });
});

testWith(
  [known.needs("java")],
  "a language that needs a control group says so if there is none",
  async () => {
    await using bench = await open({ controlGroup: false });
    const { result, judgeError } = await bench.compile(SUMS.java!);
    assertEquals(judgeError, true);
    assertMatch(result.message, /^Java needs boxes with control groups: its address space is far/);
  },
);

for (const id of ["c", "cpp", "python3", "rust", "pascal", "shell"]) {
  testWith([known.needs(id)], `without a control group there is still ${id}`, async () => {
    await using bench = await open({ controlGroup: false });
    const program = await bench.program(SUMS[id]!);
    const { stdout, outcome } = await bench.run(program, { stdin: "20 22\n" });
    assertEquals([stdout, outcome.kind], ["42\n", "exit"]);
  });
}

testWith([needs.root()], "what was compiled once is taken from the cache", async () => {
  await withFolder(async (folder) => {
    const cacheDirectory = `${folder}/deep/cache`;
    const files = scripts(
      "date +%N > stamp; cat /proc/uptime >> stamp",
      "#!/bin/sh\ncat /program/stamp",
    );
    const stamps: string[] = [];
    const cached: boolean[] = [];
    const compile = async (more = "") => {
      await using bench = await open({ cacheDirectory });
      const { result, program } = await bench.compile({ ...files, more }, validator);
      cached.push(result.cached);
      stamps.push((await bench.run(program!)).stdout);
      return program!.directory;
    };
    const directory = await compile();
    assertEquals(await compile(), directory);
    await compile("another byte");
    assertEquals(cached, [false, true, false]);
    assertEquals(stamps[0], stamps[1]);
    assert(stamps[0] !== stamps[2]);
    // What is not whole is made again.
    await Deno.writeTextFile(`${directory}/stamp`, "corrupted\n");
    assertEquals(await compile(), directory);
    assertEquals(cached.at(-1), false);
    assertMatch(stamps.at(-1)!, /^\d+\n/);
    await Deno.remove(`${directory}/run`);
    await compile();
    assertEquals(cached.at(-1), false);
  });
});

testWith([needs.root()], "a directory that others can change is not used as a cache", async () => {
  await withFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    await using bench = await open({ cacheDirectory: folder });
    const { result, judgeError } = await bench.compile(SUMS.shell!);
    assertEquals(judgeError, true);
    assertMatch(result.message, /for compiled programs must belong to user 0 alone, with mode 700/);
  });
});

testWith([needs.root()], "a cache on a full disk is a judge error", async () => {
  await withFolder(async (folder) => {
    const mount = ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder];
    await new Deno.Command("mount", { args: mount }).output();
    try {
      await using bench = await open({ cacheDirectory: folder });
      const { result, judgeError } = await bench.compile(
        scripts("head -c 1048576 /dev/urandom > big"),
        validator,
      );
      assertEquals(judgeError, true);
      assertMatch(result.message, /^Cannot keep the compiled program: .*[Nn]o space left/);
      assertEquals(await filesBelow(folder), []);
    } finally {
      await new Deno.Command("umount", { args: [folder] }).output();
    }
  });
});

testWith([needs.root()], "two judges can share a cache at once", async () => {
  await withFolder(async (folder) => {
    const sandbox = await sharedSandbox();
    await using bench = await open({ cacheDirectory: folder });
    await using other = await Box.init({ boxId: OTHER_BOX_ID });
    await using compiler = new Compiler({
      sandbox,
      host: new HostFiles(sandbox),
      cacheDirectory: folder,
    });
    const limits = { timeMs: 10_000, memoryKib: 1 << 20, codeKib: 128 };
    for (let round = 0; round < 5; round++) {
      const files = { "sum.sh": `echo ${round}\n` };
      const source = await bench.source(files);
      const language = known.table.recognise(source);
      const all = await Promise.all([
        bench.compile(files),
        compiler.compile(source, { language, box: other, limits }),
      ]);
      const programs = all.map(({ program }) => program!.directory);
      assertEquals(programs[0], programs[1]);
      assertEquals((await bench.run(all[1].program!)).stdout, `${round}\n`);
    }
    const left = [...Deno.readDirSync(folder)].filter(({ name }) => !/^[0-9a-f]{64}$/.test(name));
    assertEquals(left, []);
  });
});

testWith([needs.root()], "without a cache directory nothing is left behind", async () => {
  let directory: string;
  {
    await using bench = await open();
    directory = (await bench.program(SUMS.shell!)).directory;
    assert(Deno.statSync(directory).isDirectory);
  }
  await assertRejects(() => Deno.stat(directory), Deno.errors.NotFound);
});

testWith(
  [needs.root()],
  "a compilation is interrupted by its signal, and the box can be used",
  async () => {
    await using bench = await open();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 300);
    await assertRejects(
      () => bench.compile(scripts("exec sleep 1000"), { ...validator, signal: controller.signal }),
      Error,
      "enough",
    );
    const { stdout } = await bench.run(await bench.program(SUMS.shell!), { stdin: "1 2\n" });
    assertEquals(stdout, "3\n");
  },
);

testWith([needs.root()], "a tool that does not work in a box is a judge error", async () => {
  await withFolder(async (folder) => {
    const { loadLanguages } = await import("isolate/judge/languages/languages.ts");
    const userFile = `${folder}/languages.yaml`;
    await Deno.writeTextFile(
      userFile,
      "shell:\n  version: [/bin/sh, -c, 'echo broken >&2; exit 3']\n",
    );
    const host = new HostFiles(await sharedSandbox());
    const environment = new Map([["PATH", "/usr/bin:/bin"]]);
    const table = await loadLanguages(host, { userFile, environment });
    await using bench = await Workbench.open(BOX_ID, { table });
    const { result, judgeError } = await bench.compile(SUMS.shell!);
    assertEquals(judgeError, true);
    assertMatch(result.message, /^Shell is not available: .* fails in a box: broken$/);
  });
});

testWith(
  [needs.root()],
  "a judge that waits for another's compilation goes on when that one is interrupted",
  async () => {
    const sandbox = await sharedSandbox();
    await using bench = await open();
    await using other = await Box.init({ boxId: OTHER_BOX_ID });
    const source = await bench.source(SUMS.shell!);
    const { definition, ...language } = known.table.recognise(source);
    const version = ["/bin/sh", "-c", "sleep 0.5; echo slow"];
    const slow = { ...language, definition: { ...definition, version } };
    await using compiler = new Compiler({ sandbox, host: new HostFiles(sandbox) });
    const limits = { timeMs: 10_000, memoryKib: 1 << 20, codeKib: 128 };
    const signal = AbortSignal.timeout(200);
    const first = compiler.compile(source, { language: slow, box: bench.box, limits, signal });
    const second = compiler.compile(source, { language: slow, box: other, limits });
    await assertRejects(() => first, DOMException);
    const { result } = await second;
    assertEquals([result.ok, result.version], [true, "slow"]);
  },
);
