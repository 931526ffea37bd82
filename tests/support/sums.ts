/** The sum of two numbers in every language of the table: its id, and the files of a program. */

/** A program that reads two numbers and writes their sum. */
export const SUMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
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
  shell: { "sum.sh": "read a b\necho $((a + b))\n" },
  bash: { "sum.sh": "#!/bin/bash\nread -r a b\nwords=($a $b)\necho $((words[0] + words[1]))\n" },
};
