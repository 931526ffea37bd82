// The client "piston-client" of npm: languages, a program with arguments and input, a compiled one.

const { default: piston } = await import(process.argv[3]);

const client = piston({ server: process.argv[2] });
const runtimes = await client.runtimes();
const python = await client.execute("python", {
  files: [{ content: "import sys; print(input(), sys.argv[1:])" }],
  stdin: "typed",
  args: ["one", "two words"],
});
const c = await client.execute(
  "c",
  '#include <stdio.h>\nint main(void) { puts("compiled"); return 3; }',
);
const unknown = await client.execute("cobol-77", "x", { version: "1.0.0" });
console.log(JSON.stringify({ runtimes, python, c, unknown }));
