/** Programs with threads, in several languages. */

import type { Programs } from "./program_files.ts";

/** Start four threads that add up, and say the sum: 4. */
export const THREADS: Programs = {
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
  c: {
    "threads.c": `#include <pthread.h>
#include <stdio.h>
static void *one(void *sum) { __atomic_fetch_add((int *)sum, 1, __ATOMIC_SEQ_CST); return 0; }
int main(void) {
  int sum = 0;
  pthread_t all[4];
  for (int i = 0; i < 4; i++) if (pthread_create(&all[i], 0, one, &sum)) return 1;
  for (int i = 0; i < 4; i++) pthread_join(all[i], 0);
  printf("%d\\n", sum);
}
`,
  },
  javascript: {
    "threads.js": `const { Worker, isMainThread, parentPort } = require("worker_threads");
if (!isMainThread) parentPort.postMessage(1);
else {
  const one = () => new Promise((resolve) => new Worker(__filename).on("message", resolve));
  Promise.all([one(), one(), one(), one()]).then((all) => console.log(all.reduce((a, b) => a + b)));
}
`,
  },
  typescript: {
    "threads.ts": `#!/usr/bin/env node
import { isMainThread, parentPort, Worker } from "node:worker_threads";
if (!isMainThread) parentPort!.postMessage(1);
else {
  const one = () =>
    new Promise<number>((resolve) => new Worker(process.argv[1]!).on("message", resolve));
  Promise.all([one(), one(), one(), one()]).then((all) => console.log(all.reduce((a, b) => a + b)));
}
`,
  },
  deno: {
    "threads.ts": `const source = "data:text/javascript,self.postMessage(1)";
const one = () =>
  new Promise<number>((resolve) => {
    const worker = new Worker(source, { type: "module" });
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
  });
const all = await Promise.all([one(), one(), one(), one()]);
console.log(all.reduce((a, b) => a + b));
`,
  },
  python2: {
    "threads.py2": `import threading
found = []
all = [threading.Thread(target=found.append, args=(1,)) for _ in range(4)]
for thread in all: thread.start()
for thread in all: thread.join()
print sum(found)
`,
  },
  pascal: {
    "threads.pas": `uses cthreads, classes;
var sum: longint = 0;
function one(data: pointer): ptrint;
begin interlockedincrement(sum); one := 0; end;
var all: array[1..4] of tthreadid;
    i: longint;
begin
  for i := 1 to 4 do all[i] := beginthread(@one, nil);
  for i := 1 to 4 do waitforthreadterminate(all[i], 0);
  writeln(sum);
end.
`,
  },
  scala: {
    "threads.scala": `import java.util.concurrent.atomic.AtomicInteger
object Main {
  def main(args: Array[String]): Unit = {
    val sum = new AtomicInteger
    val all = (1 to 4).map(_ => new Thread(new Runnable { def run(): Unit = sum.incrementAndGet() }))
    all.foreach(_.start())
    all.foreach(_.join())
    println(sum)
  }
}
`,
  },
  haskell: {
    "threads.hs": `import Control.Concurrent
import Control.Monad
main = do
  found <- newEmptyMVar
  replicateM_ 4 (forkIO (putMVar found 1))
  all <- replicateM 4 (takeMVar found)
  print (sum all)
`,
  },
  ocaml: {
    "threads.ml": `let sum = ref 0
let lock = Mutex.create ()
let one () = Mutex.lock lock; incr sum; Mutex.unlock lock
let () =
  let all = List.init 4 (fun _ -> Thread.create one ()) in
  List.iter Thread.join all;
  print_endline (string_of_int !sum)
`,
  },
  ada: {
    "main.adb": `with Ada.Text_IO;
procedure Main is
   protected Sum is
      procedure Add;
      function Value return Integer;
   private
      Count : Integer := 0;
   end Sum;
   protected body Sum is
      procedure Add is
      begin
         Count := Count + 1;
      end Add;
      function Value return Integer is (Count);
   end Sum;
   task type One;
   task body One is
   begin
      Sum.Add;
   end One;
begin
   declare
      All_Of_Them : array (1 .. 4) of One;
   begin
      null;
   end;
   Ada.Text_IO.Put_Line (Integer'Image (Sum.Value) (2 .. 2));
end Main;
`,
  },
  nim: {
    "threads.nim": `import std/atomics
var sum: Atomic[int]
proc one() {.thread.} = discard sum.fetchAdd(1)
var all: array[4, Thread[void]]
for thread in all.mitems: createThread(thread, one)
joinThreads(all)
echo sum.load
`,
  },
  perl: {
    "threads.pl": `#!/usr/bin/perl
use threads;
my @all = map { threads->create(sub { 1 }) } 1 .. 4;
my $sum = 0;
$sum += $_->join for @all;
print "$sum\\n";
`,
  },
  lisp: {
    "threads.lisp": `(let ((all (loop repeat 4 collect (sb-thread:make-thread (lambda () 1)))))
  (format t "~a~%" (reduce #'+ (mapcar #'sb-thread:join-thread all))))
`,
  },
  prolog: {
    "threads.pl": `main :-
    findall(Thread, (between(1, 4, _), thread_create(thread_exit(1), Thread)), All),
    findall(Number, (member(Thread, All), thread_join(Thread, exited(Number))), Numbers),
    sum_list(Numbers, Sum),
    writeln(Sum).
`,
  },
};
