/** Programs that fill memory, in several languages. */

import type { Programs } from "./program_files.ts";

/** Fill memory until none is left. */
export const HOGS: Programs = {
  cpp: {
    "hog.cpp": `#include <vector>
#include <cstring>
int main() { std::vector<char*> all; for (;;) { char *p = new char[1 << 20]; memset(p, 1, 1 << 20); all.push_back(p); } }
`,
  },
  python3: { "hog.py": "all = []\nwhile True:\n    all.append(bytearray(1 << 20))\n" },
  java: {
    "hog.java": `import java.util.*;
public class Hog {
  public static void main(String[] args) {
    List<int[]> all = new ArrayList<>();
    while (true) { int[] block = new int[1 << 18]; Arrays.fill(block, 7); all.add(block); }
  }
}
`,
  },
  javascript: {
    "hog.js": "const all = [];\nfor (;;) all.push(new Array(1 << 17).fill(7));\n",
  },
  deno: {
    "hog.ts": "const all: number[][] = [];\nfor (;;) all.push(new Array(1 << 17).fill(7));\n",
  },
  go: {
    "hog.go": `package main

var all [][]byte

func main() {
	for {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		all = append(all, block)
	}
}
`,
  },
  rust: {
    "hog.rs": "fn main() { let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]); } }\n",
  },
  csharp: {
    "hog.cs": `using System.Collections.Generic;
class Hog {
  static void Main() {
    var all = new List<int[]>();
    while (true) { var block = new int[1 << 18]; for (int i = 0; i < block.Length; i++) block[i] = 7; all.Add(block); }
  }
}
`,
  },
  pascal: {
    "hog.pas": `var p: ^byte;
begin while true do begin getmem(p, 1 shl 20); fillchar(p^, 1 shl 20, 1); end; end.
`,
  },
  kotlin: {
    "hog.kt": `fun main() {
    val all = ArrayList<IntArray>()
    while (true) all.add(IntArray(1 shl 18) { 7 })
}
`,
  },
  scala: {
    "hog.scala": `object Main {
  def main(args: Array[String]): Unit = {
    val all = scala.collection.mutable.ArrayBuffer[Array[Int]]()
    while (true) all += Array.fill(1 << 18)(7)
  }
}
`,
  },
  haskell: {
    "hog.hs": "main = let xs = [1 ..] :: [Integer] in print (length xs + fromInteger (sum xs))\n",
  },
  ocaml: {
    "hog.ml":
      "let all = ref []\nlet () = while true do all := Bytes.make 1048576 'x' :: !all done\n",
  },
  fortran: {
    "hog.f90": `program hog
  type block
    integer :: numbers(262144)
    type(block), pointer :: next
  end type
  type(block), pointer :: first, another
  nullify(first)
  do
    allocate(another)
    another%numbers = 7
    another%next => first
    first => another
  end do
end program
`,
  },
  ada: {
    "main.adb": `procedure Main is
   type Block is array (1 .. 262144) of Integer;
   type Pointer is access Block;
   Last : Pointer;
begin
   loop
      Last := new Block'(others => 7);
   end loop;
end Main;
`,
  },
  d: {
    "hog.d":
      "void main() { ubyte[][] all; for (;;) { auto b = new ubyte[](1 << 20); b[] = 7; all ~= b; } }\n",
  },
  nim: {
    "hog.nim":
      "import strutils\nvar all: seq[string]\nwhile true: all.add(repeat('x', 1 shl 20))\n",
  },
  lisp: {
    "hog.lisp": `(defvar *all* nil)
(loop (push (make-array 1000000 :element-type '(unsigned-byte 8) :initial-element 7) *all*))
`,
  },
  prolog: { "hog.pl": "main :- grow([]).\ngrow(All) :- grow([x|All]).\n" },
  r: { "hog.R": "all <- list()\nrepeat all[[length(all) + 1]] <- rep(7, 131072)\n" },
  pypy3: {
    "hog.py":
      "#!/usr/bin/pypy3\nall = []\nwhile True:\n    all.append(bytearray(b'x' * (1 << 20)))\n",
  },
  ruby: { "hog.rb": "all = []\nloop { all << 'x' * (1 << 20) }\n" },
  perl: { "hog.pl": "#!/usr/bin/perl\nmy @all;\npush @all, 'x' x (1 << 20) while 1;\n" },
  php: { "hog.php": "<?php $all = [];\nfor (;;) $all[] = str_repeat('x', 1 << 20);\n" },
  lua: {
    "hog.lua":
      "local all = {}\nwhile true do all[#all + 1] = string.rep('x', 2 ^ 20) .. #all end\n",
  },
  c: {
    "hog.c": `#include <stdlib.h>
#include <string.h>
int main(void) { for (;;) { char *block = malloc(1 << 20); if (!block) return 1; memset(block, 1, 1 << 20); } }
`,
  },
  typescript: {
    "hog.ts": `#!/usr/bin/env node
const all: number[][] = [];
for (;;) all.push(new Array(1 << 17).fill(7));
`,
  },
  python2: {
    "hog.py2": `all = []
while True:
    all.append("x" * (1 << 20) + str(len(all)))
`,
  },
  shell: {
    "hog.sh": `all=x
while :; do all=$all$all; done
`,
  },
  bash: {
    "hog.sh": `#!/bin/bash
all=x
while :; do all+=$all; done
`,
  },
};
