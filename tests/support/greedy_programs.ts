/** Programs that hit limits, in several languages: files by what they do and the language. */

type Files = Readonly<Record<string, string>>;

/** Fill memory until none is left. */
export const HOGS: Readonly<Record<string, Files>> = {
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
};

/** Keep 100 MiB, and make much more garbage: within a limit of 256 MiB. */
export const SAVERS: Readonly<Record<string, Files>> = {
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

/** Call themselves 100,000 deep, and say so. */
export const RECURSIONS: Readonly<Record<string, Files>> = {
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
fn depth(n: i32) -> i32 { if n == 0 { 0 } else { std::hint::black_box(depth(n - 1)) + 1 } }
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

/** Start four threads that add up, and say the sum: 4. */
export const THREADS: Readonly<Record<string, Files>> = {
  cpp: {
    "threads.cpp": `#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>
int main() {
  std::atomic<int> sum(0);
  std::vector<std::thread> all;
  for (int i = 0; i < 4; i++) all.emplace_back([&] { sum++; });
  for (auto &thread : all) thread.join();
  printf("%d\\n", sum.load());
}
`,
  },
  python3: {
    "threads.py": `import threading
found = []
all = [threading.Thread(target=found.append, args=(1,)) for _ in range(4)]
for thread in all: thread.start()
for thread in all: thread.join()
print(sum(found))
`,
  },
  java: {
    "Threads.java": `import java.util.concurrent.atomic.AtomicInteger;
public class Threads {
  public static void main(String[] args) throws Exception {
    AtomicInteger sum = new AtomicInteger();
    Thread[] all = new Thread[4];
    for (int i = 0; i < 4; i++) { all[i] = new Thread(sum::incrementAndGet); all[i].start(); }
    for (Thread thread : all) thread.join();
    System.out.println(sum);
  }
}
`,
  },
  go: {
    "threads.go": `package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

func main() {
	var sum atomic.Int64
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() { sum.Add(1); all.Done() }()
	}
	all.Wait()
	fmt.Println(sum.Load())
}
`,
  },
  rust: {
    "threads.rs": `fn main() {
    let all: Vec<_> = (0..4).map(|_| std::thread::spawn(|| 1)).collect();
    println!("{}", all.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>());
}
`,
  },
  csharp: {
    "threads.cs": `using System.Threading;
class Threads {
  static int sum;
  static void Main() {
    var all = new Thread[4];
    for (int i = 0; i < 4; i++) { all[i] = new Thread(() => Interlocked.Increment(ref sum)); all[i].Start(); }
    foreach (var thread in all) thread.Join();
    System.Console.WriteLine(sum);
  }
}
`,
  },
  kotlin: {
    "threads.kt": `import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
fun main() {
    val sum = AtomicInteger()
    val all = List(4) { thread { sum.incrementAndGet() } }
    all.forEach { it.join() }
    println(sum)
}
`,
  },
  ruby: { "threads.rb": "puts (1..4).map { Thread.new { 1 } }.sum(&:value)\n" },
  pypy3: {
    "threads.py": `#!/usr/bin/pypy3
import threading
found = []
all = [threading.Thread(target=found.append, args=(1,)) for _ in range(4)]
for thread in all: thread.start()
for thread in all: thread.join()
print(sum(found))
`,
  },
  d: {
    "threads.d": `import core.atomic, core.thread, std.stdio;
shared int sum;
void main() {
  foreach (i; 0 .. 4) new Thread({ atomicOp!"+="(sum, 1); }).start();
  thread_joinAll();
  writeln(sum);
}
`,
  },
};

/** Never end. */
export const LOOPS: Readonly<Record<string, Files>> = {
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
    "loop.rs": "fn main() { let mut i = 0u64; loop { i = std::hint::black_box(i + 1); } }\n",
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
};

/** Fail after they have written something. */
export const CRASHES: Readonly<Record<string, Files>> = {
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
};
