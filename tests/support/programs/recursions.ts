/** Programs that call themselves, in several languages. */

import type { Programs } from "./program_files.ts";

/** Call themselves 100,000 deep, and say so. */
export const RECURSIONS: Programs = {
  cpp: {
    "deep.cpp": `#include <cstdio>
int depth(int n) { volatile char pad[100]; pad[0] = 1; return n == 0 ? 0 : depth(n - 1) + pad[0]; }
int main() { printf("%d\\n", depth(100000)); }
`,
  },
  python3: {
    "deep.py": `import sys
sys.setrecursionlimit(200000)
def depth(n): return 0 if n == 0 else depth(n - 1) + 1
print(depth(100000))
`,
  },
  java: {
    "deep.java": `class Deep {
  static int depth(int n) { return n == 0 ? 0 : depth(n - 1) + 1; }
  public static void main(String[] args) { System.out.println(depth(100000)); }
}
`,
  },
  javascript: {
    "deep.js":
      "const depth = (n) => n === 0 ? 0 : depth(n - 1) + 1;\nconsole.log(depth(100000));\n",
  },
  deno: {
    "deep.ts": `const depth = (n: number): number => n === 0 ? 0 : depth(n - 1) + 1;
console.log(depth(100000));
`,
  },
  go: {
    "deep.go": `package main

import "fmt"

func depth(n int) int {
	if n == 0 {
		return 0
	}
	return depth(n-1) + 1
}

func main() { fmt.Println(depth(100000)) }
`,
  },
  rust: {
    "deep.rs": `#[inline(never)]
fn depth(n: i32) -> i32 {
    let next = unsafe { std::ptr::read_volatile(&n) };
    if next == 0 { return 0; }
    let deeper = depth(next - 1);
    unsafe { std::ptr::read_volatile(&deeper) + 1 }
}
fn main() { println!("{}", depth(100000)); }
`,
  },
  csharp: {
    "deep.cs": `class Deep {
  static int Depth(int n) { return n == 0 ? 0 : Depth(n - 1) + 1; }
  static void Main() { System.Console.WriteLine(Depth(100000)); }
}
`,
  },
  pascal: {
    "deep.pas": `function depth(n: longint): longint;
begin if n = 0 then depth := 0 else depth := depth(n - 1) + 1; end;
begin writeln(depth(100000)); end.
`,
  },
};
