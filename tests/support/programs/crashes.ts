/** Programs that fail, in several languages. */

import type { Programs } from "./program_files.ts";

/** Fail after they have written something. */
export const CRASHES: Programs = {
  python3: { "crash.py": "print(1)\nraise ValueError\n" },
  pypy3: { "crash.py": "#!/usr/bin/pypy3\nprint(1)\nraise ValueError\n" },
  java: {
    "Crash.java":
      "class Crash { public static void main(String[] a) { System.out.println(1); a[0].length(); } }\n",
  },
  javascript: { "crash.js": "console.log(1);\nthrow new Error();\n" },
  kotlin: { "crash.kt": 'fun main() {\n    println(1)\n    error("crash")\n}\n' },
  scala: {
    "crash.scala": `object Main {
  def main(args: Array[String]): Unit = { println(1); sys.error("crash") }
}
`,
  },
  haskell: { "crash.hs": 'main = print 1 >> error "crash"\n' },
  ocaml: { "crash.ml": 'let () = print_endline "1"; failwith "crash"\n' },
  fortran: { "crash.f90": "program crash\n  print '(i0)', 1\n  error stop\nend program\n" },
  ada: {
    "main.adb": `with Ada.Text_IO;
procedure Main is
begin
   Ada.Text_IO.Put_Line ("1");
   raise Program_Error;
end Main;
`,
  },
  d: {
    "crash.d": 'import std.stdio;\nvoid main() { writeln(1); throw new Exception("crash"); }\n',
  },
  nim: { "crash.nim": 'echo 1\nraise newException(ValueError, "crash")\n' },
  ruby: { "crash.rb": "puts 1\nraise 'crash'\n" },
  perl: { "crash.pl": "#!/usr/bin/perl\nprint \"1\\n\";\ndie 'crash';\n" },
  php: { "crash.php": '<?php echo "1\\n"; throw new Exception("crash");\n' },
  lua: { "crash.lua": "print(1)\nerror('crash')\n" },
  lisp: { "crash.lisp": '(format t "1~%")\n(error "crash")\n' },
  prolog: { "crash.pl": "main :- writeln(1), throw(crash).\n" },
  r: { "crash.R": 'cat("1\\n")\nstop("crash")\n' },
  shell: { "crash.sh": "echo 1\nexit 3\n" },
  c: {
    "crash.c": `#include <stdio.h>
int main(void) { puts("1"); fflush(stdout); volatile int *nowhere = 0; return *nowhere; }
`,
  },
  cpp: {
    "crash.cpp": `#include <iostream>
#include <stdexcept>
int main() { std::cout << 1 << std::endl; throw std::runtime_error("crash"); }
`,
  },
  python2: {
    "crash.py2": `print 1
raise ValueError
`,
  },
  deno: {
    "crash.ts": `console.log(1);
throw new Error();
`,
  },
  typescript: {
    "crash.ts": `#!/usr/bin/env node
console.log(1);
throw new Error();
`,
  },
  go: {
    "crash.go": `package main

import "fmt"

func main() {
	fmt.Println(1)
	var none []int
	fmt.Println(none[len(none)])
}
`,
  },
  rust: {
    "crash.rs": `fn main() {
    println!("1");
    panic!("crash");
}
`,
  },
  csharp: {
    "crash.cs":
      `class Crash { static void Main() { System.Console.WriteLine(1); throw new System.Exception("crash"); } }
`,
  },
  pascal: {
    "crash.pas": `var zero: longint;
begin
  writeln(1);
  flush(output);
  zero := 0;
  writeln(1 div zero);
end.
`,
  },
  bash: {
    "crash.sh": `#!/bin/bash
echo 1
kill -SEGV $$
`,
  },
};
