/** Programs that compute for a while, in several languages. */

import type { Programs } from "./program_files.ts";

/** Take a million steps of a generator of random numbers from 1, and say where they end. */
export const COMPUTATIONS: Programs = {
  c: {
    "steps.c": `#include <stdio.h>
int main(void) { long x = 1; for (int i = 0; i < 1000000; i++) x = x * 16807 % 2147483647; printf("%ld\\n", x); }
`,
  },
  cpp: {
    "steps.cpp": `#include <iostream>
int main() { long x = 1; for (int i = 0; i < 1000000; i++) x = x * 16807 % 2147483647; std::cout << x << "\\n"; }
`,
  },
  python3: {
    "steps.py": `x = 1
for i in range(1000000): x = x * 16807 % 2147483647
print(x)
`,
  },
  pypy3: {
    "steps.py": `#!/usr/bin/pypy3
x = 1
for i in range(1000000): x = x * 16807 % 2147483647
print(x)
`,
  },
  python2: {
    "steps.py2": `x = 1
for i in range(1000000): x = x * 16807 % 2147483647
print x
`,
  },
  java: {
    "Steps.java": `public class Steps {
  public static void main(String[] args) {
    long x = 1;
    for (int i = 0; i < 1000000; i++) x = x * 16807 % 2147483647;
    System.out.println(x);
  }
}
`,
  },
  javascript: {
    "steps.js": `let x = 1;
for (let i = 0; i < 1000000; i++) x = x * 16807 % 2147483647;
console.log(x);
`,
  },
  deno: {
    "steps.ts": `let x: number = 1;
for (let i = 0; i < 1000000; i++) x = x * 16807 % 2147483647;
console.log(x);
`,
  },
  typescript: {
    "steps.ts": `#!/usr/bin/env node
let x: number = 1;
for (let i = 0; i < 1000000; i++) x = x * 16807 % 2147483647;
console.log(x);
`,
  },
  go: {
    "steps.go": `package main

import "fmt"

func main() {
	x := 1
	for i := 0; i < 1000000; i++ {
		x = x * 16807 % 2147483647
	}
	fmt.Println(x)
}
`,
  },
  rust: {
    "steps.rs": `fn main() {
    let mut x = 1u64;
    for _ in 0..1_000_000 { x = x * 16807 % 2147483647; }
    println!("{}", x);
}
`,
  },
  csharp: {
    "steps.cs": `class Steps {
  static void Main() {
    long x = 1;
    for (int i = 0; i < 1000000; i++) x = x * 16807 % 2147483647;
    System.Console.WriteLine(x);
  }
}
`,
  },
  pascal: {
    "steps.pas": `var x: int64 = 1;
    i: longint;
begin
  for i := 1 to 1000000 do x := x * 16807 mod 2147483647;
  writeln(x);
end.
`,
  },
  kotlin: {
    "steps.kt": `fun main() {
    var x = 1L
    for (i in 1..1000000) x = x * 16807 % 2147483647
    println(x)
}
`,
  },
  scala: {
    "steps.scala": `object Main {
  def main(args: Array[String]): Unit = {
    var x = 1L
    for (_ <- 1 to 1000000) x = x * 16807 % 2147483647
    println(x)
  }
}
`,
  },
  haskell: {
    "steps.hs": `import Data.List
main = print (foldl' (\\x _ -> x * 16807 \`mod\` 2147483647) (1 :: Int) [1 .. 1000000 :: Int])
`,
  },
  ocaml: {
    "steps.ml": `let () =
  let x = ref 1 in
  for _ = 1 to 1000000 do x := !x * 16807 mod 2147483647 done;
  print_endline (string_of_int !x)
`,
  },
  fortran: {
    "steps.f90": `program steps
  integer(8) :: x = 1
  integer :: i
  do i = 1, 1000000
    x = mod(x * 16807_8, 2147483647_8)
  end do
  print '(i0)', x
end program
`,
  },
  ada: {
    "main.adb": `with Ada.Text_IO;
procedure Main is
   X : Long_Long_Integer := 1;
begin
   for I in 1 .. 1_000_000 loop
      X := X * 16_807 mod 2_147_483_647;
   end loop;
   declare
      Text : constant String := Long_Long_Integer'Image (X);
   begin
      Ada.Text_IO.Put_Line (Text (2 .. Text'Last));
   end;
end Main;
`,
  },
  d: {
    "steps.d": `import std.stdio;
void main() { long x = 1; foreach (i; 0 .. 1_000_000) x = x * 16807 % 2147483647; writeln(x); }
`,
  },
  nim: {
    "steps.nim": `var x = 1
for i in 1 .. 1_000_000: x = x * 16807 mod 2147483647
echo x
`,
  },
  ruby: {
    "steps.rb": `x = 1
1_000_000.times { x = x * 16807 % 2147483647 }
puts x
`,
  },
  perl: {
    "steps.pl": `#!/usr/bin/perl
my $x = 1;
$x = $x * 16807 % 2147483647 for 1 .. 1000000;
print "$x\\n";
`,
  },
  php: {
    "steps.php": `<?php
$x = 1;
for ($i = 0; $i < 1000000; $i++) $x = $x * 16807 % 2147483647;
echo $x, "\\n";
`,
  },
  lua: {
    "steps.lua": `local x = 1
for i = 1, 1000000 do x = x * 16807 % 2147483647 end
print(x)
`,
  },
  lisp: {
    "steps.lisp": `(let ((x 1))
  (dotimes (i 1000000) (setf x (mod (* x 16807) 2147483647)))
  (format t "~a~%" x))
`,
  },
  prolog: {
    "steps.pl": `main :- steps(1000000, 1, X), writeln(X).
steps(0, X, X) :- !.
steps(N, X, Z) :- Y is X * 16807 mod 2147483647, M is N - 1, steps(M, Y, Z).
`,
  },
  r: {
    "steps.R": `x <- 1
for (i in 1:1000000) x <- (x * 16807) %% 2147483647
cat(format(x, digits = 15), "\\n", sep = "")
`,
  },
  shell: {
    "steps.sh": `x=1 i=0
while [ $i -lt 1000000 ]; do x=$((x * 16807 % 2147483647)) i=$((i + 1)); done
echo $x
`,
  },
  bash: {
    "steps.sh": `#!/bin/bash
for ((x = 1, i = 0; i < 1000000; i++)); do ((x = x * 16807 % 2147483647)); done
echo "$x"
`,
  },
};
