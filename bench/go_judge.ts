/** Another server for comparison, if `GO_JUDGE` names its program. */

import { EXPECTED, type Task } from "./api_requests.ts";
import { compile } from "./measure.ts";

/** One of them that runs. */
export interface GoJudge extends AsyncDisposable {
  readonly name: "go-judge";
  readonly pid: number;
  /** Sends a program, and checks the answer. */
  send(task: Task): Promise<void>;
}

const NS_PER_S = 1_000_000_000;
const MIB = 1 << 20;
const OUTPUT_BYTES = 1024;
const START_MS = 10_000;

/** Starts it with as many programs at once as our server runs, on a port that nobody uses. */
export async function startGoJudge(folder: string): Promise<GoJudge | undefined> {
  const program = Deno.env.get("GO_JUDGE");
  if (!program) return undefined;
  const address = `127.0.0.1:${freePort()}`;
  const url = `http://${address}`;
  const parallelism = 2 * navigator.hardwareConcurrency;
  const child = new Deno.Command(program, {
    args: [`-http-addr=${address}`, `-parallelism=${parallelism}`, "-silent"],
    stdin: "null",
    stdout: "null",
  }).spawn();
  await untilItAnswers(`${url}/version`);
  // It keeps files between requests, as our server keeps compiled programs.
  const fileId = await upload(`${url}/file`, await compile("one", folder));
  return {
    name: "go-judge",
    pid: child.pid,
    async send({ isCompiled, source, command }) {
      const copyIn = isCompiled ? { one: { fileId } } : { "main.py": { content: source } };
      const response = await fetch(`${url}/run`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          cmd: [{
            args: command,
            env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
            files: [
              { content: "" },
              { name: "stdout", max: OUTPUT_BYTES },
              { name: "stderr", max: OUTPUT_BYTES },
            ],
            cpuLimit: 3 * NS_PER_S,
            clockLimit: 3 * NS_PER_S,
            memoryLimit: 512 * MIB,
            procLimit: 64,
            copyIn,
          }],
        }),
      });
      const text = await response.text();
      if (!response.ok || JSON.parse(text)[0].files.stdout !== EXPECTED) {
        throw new Error(`go-judge has answered ${response.status}: ${text}`);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function upload(url: string, file: string): Promise<string> {
  const form = new FormData();
  form.append("file", new Blob([await Deno.readFile(file)]), "one");
  const response = await fetch(url, { method: "POST", body: form });
  return await response.json();
}

async function untilItAnswers(url: string): Promise<void> {
  const untilMs = performance.now() + START_MS;
  for (;;) {
    try {
      await (await fetch(url)).body?.cancel();
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
