/** The sum of two numbers in every language of the table: its id, and the files of a program. */

import type { Programs } from "./program_files.ts";

/** A program that reads two numbers and writes their sum. */
export const SUMS: Programs = {
  c: {
    "sum.c": `#include <stdio.h>
int main(void) { long a, b; if (scanf("%ld %ld", &a, &b) != 2) return 1; printf("%ld\\n", a + b); }
`,
  },
  cpp: {
    "sum.cpp": `#include <bits/stdc++.h>
int main() { long a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }
`,
  },
  python3: { "sum.py": "a, b = map(int, input().split())\nprint(a + b)\n" },
  java: {
    "sum-ok.java": `import java.util.Scanner;
public class Sum {
  public static void main(String[] args) {
    Scanner in = new Scanner(System.in);
    System.out.println(in.nextLong() + in.nextLong());
  }
}
`,
  },
  javascript: {
    "sum.js": `const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);
console.log(a + b);
`,
  },
  deno: {
    "sum.ts": `const text: string = await new Response(Deno.stdin.readable).text();
const [a, b]: number[] = text.split(" ").map(Number);
console.log(a + b);
`,
  },
  go: {
    "sum.go": `package main

import "fmt"

func main() {
	var a, b int
	fmt.Scan(&a, &b)
	fmt.Println(a + b)
}
`,
  },
  rust: {
    "sum.rs": `use std::io::Read;
fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let sum: i64 = text.split_whitespace().map(|word| word.parse::<i64>().unwrap()).sum();
    println!("{}", sum);
}
`,
  },
  csharp: {
    "sum.cs": `using System;
class Sum {
  static void Main() {
    var words = Console.ReadLine().Split(' ');
    Console.WriteLine(long.Parse(words[0]) + long.Parse(words[1]));
  }
}
`,
  },
  pascal: { "sum.pas": "var a, b: int64;\nbegin readln(a, b); writeln(a + b); end.\n" },
  pypy3: { "sum.py": "#!/usr/bin/pypy3\na, b = map(int, input().split())\nprint(a + b)\n" },
  python2: { "sum.py2": "a, b = map(int, raw_input().split())\nprint a + b\n" },
  kotlin: {
    "sum.kt": `fun main() {
    val (a, b) = readLine()!!.split(" ").map { it.toLong() }
    println(a + b)
}
`,
  },
  scala: {
    "sum.scala": `object Main {
  def main(args: Array[String]): Unit =
    println(scala.io.StdIn.readLine().split(" ").map(_.toLong).sum)
}
`,
  },
  haskell: {
    "sum.hs": "main = getLine >>= print . sum . map (read :: String -> Integer) . words\n",
  },
  ocaml: { "sum.ml": 'let () = Scanf.scanf " %d %d" (fun a b -> Printf.printf "%d\\n" (a + b))\n' },
  fortran: {
    "sum.f90": `program sum
  integer(8) :: a, b
  read *, a, b
  print '(i0)', a + b
end program
`,
  },
  ada: {
    "main.adb": `with Ada.Text_IO, Ada.Integer_Text_IO;
procedure Main is
   A, B : Integer;
begin
   Ada.Integer_Text_IO.Get (A);
   Ada.Integer_Text_IO.Get (B);
   Ada.Integer_Text_IO.Put (A + B, Width => 0);
   Ada.Text_IO.New_Line;
end Main;
`,
  },
  d: {
    "sum.d": `import std.stdio;
void main() { long a, b; readf(" %d %d", a, b); writeln(a + b); }
`,
  },
  nim: {
    "sum.nim": `import strutils, sequtils
echo stdin.readLine().splitWhitespace().map(parseInt).foldl(a + b)
`,
  },
  ruby: { "sum.rb": "puts gets.split.map(&:to_i).sum\n" },
  perl: {
    "sum.pl": "#!/usr/bin/perl\nmy ($a, $b) = split ' ', <STDIN>;\nprint $a + $b, \"\\n\";\n",
  },
  php: { "sum.php": '<?php [$a, $b] = explode(" ", trim(fgets(STDIN)));\necho $a + $b, "\\n";\n' },
  lua: { "sum.lua": 'local a, b = io.read("n", "n")\nprint(a + b)\n' },
  lisp: { "sum.lisp": '(format t "~a~%" (+ (read) (read)))\n' },
  prolog: {
    "sum.pl": `main :-
    read_line_to_string(user_input, Line),
    split_string(Line, " ", "", Words),
    maplist(number_string, Numbers, Words),
    sum_list(Numbers, Sum),
    writeln(Sum).
`,
  },
  r: { "sum.R": 'cat(sum(scan(file("stdin"), quiet = TRUE)), "\\n", sep = "")\n' },
  shell: { "sum.sh": "read a b\necho $((a + b))\n" },
  bash: { "sum.sh": "#!/bin/bash\nread -r a b\nwords=($a $b)\necho $((words[0] + words[1]))\n" },
  typescript: {
    "sum.ts": `#!/usr/bin/env node
import { readFileSync } from "node:fs";
const [a, b]: number[] = readFileSync(0, "utf8").split(" ").map(Number);
console.log(a! + b!);
`,
  },
};
