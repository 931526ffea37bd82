/**
 * The command line as tests use it: the real command, as a process of its own, with `--allow-ffi` and
 * no other permission. With `ISOLATE_TEST_SERVICE=1` it is the native client, and a service is started,
 * unless `ISOLATE_TEST_RUNNING_SERVICE` names one by its process id and its socket.
 */

import { assert, assertEquals } from "@std/assert";
import { startService } from "./service.ts";

/** A script beside `mod.ts` as a command. */
function script(name: string): readonly string[] {
  const path = new URL(`../../${name}`, import.meta.url).pathname;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-ffi", path];
}

/** The command that asks for a service first. */
export const ENTRY: readonly string[] = script("isolate.ts");

/** The command carried out by its own process. */
export const DIRECT: readonly string[] = script("direct.ts");

/** The native client. */
export const CLIENT = new URL(`../../lib/isolate-${Deno.build.arch}`, import.meta.url).pathname;

/** Whether tests run the command through a service. */
export const USES_SERVICE = Deno.env.get("ISOLATE_TEST_SERVICE") === "1";

/** How a person starts the command, before its own arguments. */
export const COMMAND: readonly string[] = USES_SERVICE ? [CLIENT] : DIRECT;

const service = USES_SERVICE ? runningService() ?? await startService() : undefined;

function runningService(): { pid: number; socket: string } | undefined {
  const [pid, socket] = Deno.env.get("ISOLATE_TEST_RUNNING_SERVICE")?.split(" ") ?? [];
  return socket === undefined ? undefined : { pid: Number(pid), socket };
}

/** What `ISOLATE_SERVICE` is for commands: a service of the machine is never asked. */
const SERVICE = service?.socket ?? "off";
Deno.env.set("ISOLATE_SERVICE", SERVICE);

/** The surroundings of a command. */
export interface CommandOptions {
  /** What it reads on standard input. Default: nothing. */
  stdin?: string | Uint8Array;
  /** Variables that are added to this process's environment, or are all there is with `clearEnv`. */
  env?: Record<string, string>;
  /** Start from an empty environment. */
  clearEnv?: boolean;
  /** Its working directory. */
  cwd?: string;
  /** A command that starts it, such as `["setpriv", "--reuid=1000"]`, or a shell wrapper. */
  through?: readonly string[];
}

/** How a command ended and what it wrote. */
export interface CommandResult {
  /** The exit status; 128 and the number of the signal that ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A running command; with `await using` it does not outlive the test. */
export interface RunningCommand extends AsyncDisposable {
  pid: number;
  kill(signal: Deno.Signal): void;
  result: Promise<CommandResult>;
}

/** Starts any command; it must be waited for by `result` or `await using`. */
export function start(
  command: readonly string[],
  options: CommandOptions = {},
): RunningCommand {
  const [program, ...args] = [...options.through ?? [], ...command];
  const child = new Deno.Command(program!, {
    args,
    env: { ISOLATE_SERVICE: SERVICE, ...options.env },
    clearEnv: options.clearEnv ?? false,
    ...options.cwd === undefined ? {} : { cwd: options.cwd },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
  let ended = false;
  const finish = async () => {
    const { code, stdout, stderr } = await child.output();
    ended = true;
    await fed;
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const result = finish();
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    result,
    [Symbol.asyncDispose]: async () => {
      if (!ended) child.kill("SIGKILL");
      await result;
    },
  };
}

async function feed(stream: WritableStream<Uint8Array>, input: string | Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
    await writer.close();
  } catch (error) {
    // A program that does not read its input may end before all of it is written.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Starts the command and goes on. */
export function startIsolate(args: readonly string[], options?: CommandOptions): RunningCommand {
  // Commands for people are no clients of the service.
  const command = args[0]?.startsWith("-") ? COMMAND : DIRECT;
  return start([...command, ...args], options);
}

/** The process that keeps the box of a running command. */
export function keeperPid({ pid }: RunningCommand): number {
  return service?.pid ?? pid;
}

/** Runs the command to its end. */
export function isolate(
  args: readonly string[],
  options?: CommandOptions,
): Promise<CommandResult> {
  return startIsolate(args, options).result;
}

/** Runs the command and insists that it succeeds; gives its standard output. */
export async function succeed(args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await isolate(args, options);
  assertEquals(code, 0, `isolate ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Runs any program and insists that it succeeds; gives its standard output. */
export async function sh(script: string, options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await start(["/bin/bash", "-ec", script], options).result;
  assertEquals(code, 0, `${script}: ${stderr}`);
  return stdout;
}

/** The keys and values of a meta-file; a line without a colon or a key that comes twice is an error. */
export function parseMetaText(text: string): Record<string, string> {
  const meta: Record<string, string> = {};
  if (text !== "") assert(text.endsWith("\n"), `the last line has no end: ${text}`);
  for (const line of text.split("\n").slice(0, -1)) {
    const [, key, value] = /^([a-z-]+):(.*)$/.exec(line) ?? [];
    assert(key !== undefined && value !== undefined, `not a line of a meta-file: ${line}`);
    assert(!(key in meta), `${key} comes twice`);
    meta[key] = value;
  }
  return meta;
}

/** The result of a run. */
export interface RunResult extends CommandResult {
  meta: Record<string, string>;
}

/** A box that exists while a test uses it. */
export class TestBox {
  readonly id: number;
  /** `BOX_ROOT/ID`. */
  readonly directory: string;
  readonly #options: readonly string[];
  readonly #metaFile: string;

  constructor(
    { id, directory, options, metaFile }: {
      id: number;
      directory: string;
      options: readonly string[];
      metaFile: string;
    },
  ) {
    this.id = id;
    this.directory = directory;
    this.#options = options;
    this.#metaFile = metaFile;
  }

  /** A path in `box/`, or that directory itself. */
  path(name = ""): string {
    return name === "" ? `${this.directory}/box` : `${this.directory}/box/${name}`;
  }

  /** The arguments of a run in this box. */
  args(options: readonly string[], command: readonly string[]): string[] {
    const own = [`--box-id=${this.id}`, `--meta=${this.#metaFile}`, ...this.#options];
    return [...own, ...options, "--run", "--", ...command];
  }

  /** Runs a program in the box, with some options of the sandbox. */
  async run(
    options: readonly string[],
    command: readonly string[],
    surroundings?: CommandOptions,
  ): Promise<RunResult> {
    return await this.resultOf(startIsolate(this.args(options, command), surroundings));
  }

  /** Starts a program in the box and goes on. */
  start(
    options: readonly string[],
    command: readonly string[],
    surroundings?: CommandOptions,
  ): RunningCommand {
    return startIsolate(this.args(options, command), surroundings);
  }

  /** Waits for a run and reads its meta-file. */
  async resultOf(running: RunningCommand): Promise<RunResult> {
    const result = await running.result;
    const meta = parseMetaText(await Deno.readTextFile(this.#metaFile));
    return { ...result, meta };
  }

  /** Runs a shell script with as many processes as it likes; gives its standard output. */
  async sh(script: string, options: readonly string[] = []): Promise<string> {
    const { code, stdout, stderr } = await this.run(
      ["-p", ...options],
      ["/bin/sh", "-ec", script],
    );
    assertEquals(code, 0, `${script}: ${stderr}`);
    return stdout;
  }
}

/** Makes a box, lets a test use it, and removes it whatever happens. */
export async function withBox(
  id: number,
  test: (box: TestBox) => Promise<void>,
  { options = [], init = [] }: {
    /** Options of all commands, such as `--config=FILE`. */
    options?: readonly string[];
    /** Further options of `--init`. */
    init?: readonly string[];
  } = {},
): Promise<void> {
  await withScratch(async (scratch) => {
    // The user that the command acts for writes the meta-file there.
    await Deno.chmod(scratch, 0o777);
    const own = [`--box-id=${id}`, ...options];
    try {
      const stdout = await succeed([...own, ...init, "--init"]);
      const directory = stdout.trimEnd();
      await test(new TestBox({ id, directory, options, metaFile: `${scratch}/meta` }));
    } finally {
      await isolate([...own, "--cleanup"]);
    }
  });
}

/** Gives `test` a new directory that everybody may enter, and removes it afterwards. */
export async function withScratch(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "isolate-test-" });
  try {
    await Deno.chmod(directory, 0o755);
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Asserts a refusal: one sentence (a hint after usage errors), status 2, nothing on stdout. */
export function assertRefused(result: CommandResult, message: string | RegExp): void {
  const { code, stdout, stderr } = result;
  assertEquals(code, 2, stderr);
  assertEquals(stdout, "");
  const lines = stderr.split("\n");
  assertEquals(lines.pop(), "", "the last line has an end");
  if (lines.length === 2) assert(/--help/.test(lines[1]!), `more than a sentence: ${stderr}`);
  else assertEquals(lines.length, 1, `more than a sentence: ${stderr}`);
  const found = typeof message === "string" ? stderr.includes(message) : message.test(stderr);
  assert(found, `${message} is not in: ${stderr}`);
}

/** The processes of a user: their ids and command lines, zombies included. */
export async function processesOf(uid: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = await Deno.readTextFile(`/proc/${name}/status`).catch(() => "");
    if (new RegExp(`^Uid:\\s+${uid}\\b`, "m").test(status)) {
      found.push(`${name} ${/^Name:\s+(.*)/m.exec(status)?.[1]}`);
    }
  }
  return found;
}

/** Waits until something holds; fails after a minute, which a busy machine may need. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await holds());) {
    assert(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
