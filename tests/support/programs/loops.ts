/** Programs that never end, in several languages. */

import type { Programs } from "./program_files.ts";

/** Never end. */
export const LOOPS: Programs = {
  cpp: { "loop.cpp": "int main() { for (volatile int i = 0;; i++) continue; }\n" },
  python3: { "loop.py": "while True: pass\n" },
  java: {
    "loop.java":
      "class Loop { public static void main(String[] a) { for (long i = 0;; i++) if (i < 0) return; } }\n",
  },
  javascript: { "loop.js": "for (;;) ;\n" },
  deno: { "loop.ts": "for (;;) ;\n" },
  go: { "loop.go": "package main\n\nfunc main() {\n\tfor {\n\t}\n}\n" },
  rust: {
    "loop.rs":
      "fn main() { let mut i = 0u64; loop { unsafe { std::ptr::write_volatile(&mut i, 1) } } }\n",
  },
  csharp: { "loop.cs": "class Loop { static void Main() { while (true) { } } }\n" },
  pascal: { "loop.pas": "begin while true do; end.\n" },
  kotlin: { "loop.kt": "fun main() {\n    var i = 0L\n    while (true) i++\n}\n" },
  scala: {
    "loop.scala":
      "object Main { def main(args: Array[String]): Unit = { var i = 0L; while (true) i += 1 } }\n",
  },
  haskell: { "loop.hs": "main = print (length (cycle [1 :: Int]))\n" },
  ada: { "main.adb": "procedure Main is\nbegin\n   loop\n      null;\n   end loop;\nend Main;\n" },
  d: { "loop.d": "void main() { for (;;) {} }\n" },
  nim: { "loop.nim": "while true: discard\n" },
  r: { "loop.R": "repeat {}\n" },
  pypy3: { "loop.py": "#!/usr/bin/pypy3\nwhile True: pass\n" },
  ruby: { "loop.rb": "loop {}\n" },
  perl: { "loop.pl": "#!/usr/bin/perl\n1 while 1;\n" },
  php: { "loop.php": "<?php for (;;);\n" },
  lua: { "loop.lua": "while true do end\n" },
  prolog: { "loop.pl": "main :- repeat, fail.\n" },
  lisp: { "loop.lisp": "(loop)\n" },
  ocaml: { "loop.ml": "let () = while true do () done\n" },
  fortran: { "loop.f90": "program l\n  do while (.true.)\n  end do\nend program\n" },
  shell: { "loop.sh": "while :; do :; done\n" },
  c: {
    "loop.c": `int main(void) { for (volatile int i = 0;; i++) continue; }
`,
  },
  typescript: {
    "loop.ts": `#!/usr/bin/env node
for (;;) ;
`,
  },
  python2: {
    "loop.py2": `while True: pass
`,
  },
  bash: {
    "loop.sh": `#!/bin/bash
while :; do :; done
`,
  },
};
