/** Redis and PostgreSQL for tests: real ones, as an unprivileged user, in temporary folders. */

import { type Missing, needs } from "./skip.ts";

/** Nobody: `initdb` wants a user who has a name. */
const USER = 65534;
const START_LIMIT_MS = 20_000;

/** A database that runs; with `await using` it ends with the test. */
export interface TestDatabase extends AsyncDisposable {
  /** The address for `--queue`. */
  readonly url: string;
  /** Whether it loses data when the machine fails; it is faster then. */
  readonly isVolatile: boolean;
  /** Ends it as a failure of the machine would: no file is written, no client told. */
  kill(): Promise<void>;
  /** Starts it again, with its data. */
  start(): Promise<void>;
}

/** What tests with Redis need. */
export const needsRedis: readonly Missing[] = [needs.root(), needs.command("redis-server")];

/** What tests with PostgreSQL need. */
export const needsPostgres: readonly Missing[] = [
  needs.root(),
  needs.that(postgresPrograms() !== undefined, "needs Debian's postgresql"),
];

/** How a database is started, and asked whether it answers. */
interface Recipe extends Pick<TestDatabase, "url" | "isVolatile"> {
  readonly folder: string;
  readonly command: readonly string[];
  answers(): Promise<boolean>;
}

/** Starts Redis; by default it keeps what it is told. */
export async function startRedis(options: readonly string[] = []): Promise<TestDatabase> {
  const folder = await folderOfUser();
  const port = freePort();
  return await start({
    folder,
    url: `redis://127.0.0.1:${port}/0`,
    isVolatile: false,
    command: [
      ...["redis-server", "--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder],
      ...["--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction", ...options],
    ],
    // While it reads its files it listens, but refuses commands with another word.
    answers: async () => /^(\+PONG|-NOAUTH)/.test(await ask(port, "PING\r\n")),
  });
}

/** The password of the user of PostgreSQL. */
export const POSTGRES_PASSWORD = "p@ss/word";

/** Starts PostgreSQL, which does not wait for the disk; by default it believes everybody. */
export async function startPostgres(
  { asksForPassword = false }: { asksForPassword?: boolean } = {},
): Promise<TestDatabase> {
  const folder = await folderOfUser();
  const port = freePort();
  const programs = postgresPrograms()!;
  const data = `${folder}/data`;
  await copyAsUser(await (cluster ??= newCluster(programs)), data);
  if (asksForPassword) {
    await Deno.writeTextFile(`${data}/pg_hba.conf`, "host all all 127.0.0.1/32 scram-sha-256\n");
  }
  return await start({
    folder,
    url: `postgres://judge@127.0.0.1:${port}/postgres`,
    isVolatile: true,
    command: [
      ...[`${programs}/postgres`, "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", `${port}`],
      ...["-c", "fsync=off"],
    ],
    answers: async () => {
      const { success } = await new Deno.Command(`${programs}/pg_isready`, {
        args: ["-h", "127.0.0.1", "-p", `${port}`],
        stdout: "null",
        stderr: "null",
      }).output();
      return success;
    },
  });
}

/** What `initdb` has made, which takes far longer than to copy it; removed when the tests of a file are over. */
let cluster: Promise<string> | undefined;

async function newCluster(programs: string): Promise<string> {
  const folder = await folderOfUser();
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const data = `${folder}/data`;
  await Deno.writeTextFile(`${folder}/password`, POSTGRES_PASSWORD);
  const made = await asUser([
    ...[`${programs}/initdb`, "-D", data, "-U", "judge", "-A", "trust", "-E", "UTF8"],
    ...["--no-locale", "--no-sync", `--pwfile=${folder}/password`],
  ], "inherit").output();
  if (!made.success) throw new Error("initdb failed");
  return data;
}

async function copyAsUser(from: string, to: string): Promise<void> {
  const copied = await asUser(["cp", "-r", "--preserve=mode", from, to], "inherit").output();
  if (!copied.success) throw new Error(`${from} cannot be copied`);
}

async function start({ folder, command, answers, ...facts }: Recipe): Promise<TestDatabase> {
  let process: Deno.ChildProcess | undefined;
  const kill = async () => {
    try {
      process?.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await process?.status;
    process = undefined;
  };
  const database: TestDatabase = {
    ...facts,
    kill,
    async start() {
      let hasEnded = true;
      const end = performance.now() + START_LIMIT_MS;
      while (!await answers().catch(() => false)) {
        if (performance.now() > end) throw new Error(`${command[0]} does not start`);
        // PostgreSQL refuses to start while processes of the killed one are still there.
        if (hasEnded) {
          hasEnded = false;
          process = asUser(command).spawn();
          process.status.then(() => hasEnded = true);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    await database.start();
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return database;
}

function asUser(
  command: readonly string[],
  stderr: "inherit" | "null" = "null",
): Deno.Command {
  return new Deno.Command("setpriv", {
    args: [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--pdeathsig=KILL", ...command],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr,
  });
}

async function folderOfUser(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-test-" });
  await Deno.chown(folder, USER, USER);
  return folder;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Debian has its programs below the version. */
function postgresPrograms(): string | undefined {
  try {
    for (const { name } of Deno.readDirSync("/usr/lib/postgresql")) {
      const programs = `/usr/lib/postgresql/${name}/bin`;
      if (Deno.statSync(`${programs}/initdb`).isFile) return programs;
    }
  } catch {
    // Not there.
  }
  return undefined;
}

async function ask(port: number, question: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(question));
  const answer = new Uint8Array(4096);
  const count = await connection.read(answer);
  return new TextDecoder().decode(answer.subarray(0, count ?? 0));
}

/** Sends a command to Redis, such as `FLUSHALL` or `INFO stats`, and gives the answer as it is sent. */
export async function askRedis({ url }: TestDatabase, command: string): Promise<string> {
  return await ask(Number(new URL(url).port), `${command}\r\n`);
}
