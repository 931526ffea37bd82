/** Programs that make garbage, in several languages. */

import type { Programs } from "./program_files.ts";

/** Keep 100 MiB, and make much more garbage: within a limit of 256 MiB. */
export const SAVERS: Programs = {
  java: {
    "Saver.java": `public class Saver {
  public static void main(String[] args) {
    int[][] kept = new int[100][];
    long sum = 0;
    for (int round = 0; round < 2000; round++) {
      kept[round % 100] = new int[1 << 18];
      kept[round % 100][round] = round;
      sum += kept[round / 2 % 100] == null ? 0 : 1;
    }
    System.out.println(sum > 0 ? 2000 : 0);
  }
}
`,
  },
  javascript: {
    "saver.js": `const kept = [];
for (let round = 0; round < 2000; round++) kept[round % 100] = new Array(1 << 17).fill(round + 0.5);
console.log(2000);
`,
  },
  go: {
    "saver.go": `package main

import "fmt"

func main() {
	kept := make([][]byte, 100)
	for round := 0; round < 2000; round++ {
		kept[round%100] = make([]byte, 1<<20)
		kept[round%100][round] = 1
	}
	fmt.Println(2000)
}
`,
  },
  csharp: {
    "saver.cs": `class Saver {
  static void Main() {
    var kept = new byte[100][];
    for (int round = 0; round < 2000; round++) { kept[round % 100] = new byte[1 << 20]; kept[round % 100][round] = 1; }
    System.Console.WriteLine(2000);
  }
}
`,
  },
};
