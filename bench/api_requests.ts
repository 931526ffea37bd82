/** What the benchmark of the execution server asks for, in the words of each API. */

import type { Box } from "isolate/mod.ts";
import { compile, withFolder } from "./measure.ts";

/** What every program prints. */
export const EXPECTED = "1\n";

/** A program to run. */
export interface Task {
  readonly name: string;
  readonly source: string;
  readonly isCompiled: boolean;
  /** Its name in each API. */
  readonly piston: string;
  readonly judge0: number;
  readonly run: string;
  /** How it is run without a server, with the files of `prepare()` in its working directory. */
  readonly command: readonly string[];
  readonly prepare: (box: Box) => Promise<ReadonlyMap<string, Uint8Array>>;
}

/** The programs. */
export const TASKS: readonly Task[] = [
  {
    name: "print(1) in Python",
    source: "print(1)\n",
    isCompiled: false,
    piston: "python",
    judge0: 71,
    run: "python3",
    command: ["/usr/bin/python3", "main.py"],
    prepare: () => Promise.resolve(new Map([["main.py", new TextEncoder().encode("print(1)\n")]])),
  },
  {
    name: "a C program, compiled before",
    source: await Deno.readTextFile(new URL("one.c", import.meta.url)),
    isCompiled: true,
    piston: "c",
    judge0: 50,
    run: "c",
    command: ["./one"],
    prepare: () =>
      withFolder(async (folder) =>
        new Map([["one", await Deno.readFile(await compile("one", folder))]])
      ),
  },
];

/** An API of the server. */
export interface Api {
  readonly name: string;
  /** A path that only a server with this API has. */
  readonly path: string;
  /** Sends a program, and checks the answer. */
  send(url: string, task: Task): Promise<void>;
}

async function post(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} has answered ${response.status}: ${text}`);
  return text;
}

function expect(stdout: unknown, text: string): void {
  if (stdout !== EXPECTED) throw new Error(`Not what the program prints: ${text}`);
}

/** The APIs. */
export const APIS: readonly Api[] = [
  {
    name: "Piston",
    path: "api/v2/execute",
    async send(url, { piston: language, source: content }) {
      const text = await post(`${url}api/v2/execute`, {
        language,
        version: "*",
        files: [{ content }],
      });
      expect(JSON.parse(text).run.stdout, text);
    },
  },
  {
    name: "Judge0",
    path: "submissions",
    async send(url, { judge0: language_id, source: source_code }) {
      const text = await post(`${url}submissions?wait=true`, { language_id, source_code });
      expect(JSON.parse(text).stdout, text);
    },
  },
  {
    name: "POST /run",
    path: "run",
    async send(url, { run: language, source }) {
      const text = await post(`${url}run`, { language, source, tests: [{}] });
      expect(JSON.parse(text).tests[0].stdout, text);
    },
  },
];

/** Tells whether a server has an API: others answer that there is no such path. */
export async function apiIsThere({ path }: Api, url: string): Promise<boolean> {
  const response = await fetch(`${url}${path}`, { method: "POST" });
  await response.body?.cancel();
  return response.status !== 404;
}
