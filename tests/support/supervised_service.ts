/** A service with a parent that starts it again and again, as a service manager does. */

import { assert, assertEquals } from "@std/assert";
import { DIRECT } from "./isolate.ts";

/** Holds the listening socket, if it passes one, and does what the lines of its standard input say. */
const PARENT = `
import os, signal, socket, sys, time
path, passes, command = sys.argv[1], sys.argv[2] == "pass", sys.argv[3:]
os.environ["ISOLATE_SERVICE"] = "off"
def new():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if passes:
    held = new(); held.bind(path); os.chmod(path, 0o666); held.listen(128)
def start():
    pid = os.fork()
    if pid == 0:
        if passes:
            os.dup2(held.fileno(), 3)
            # It can have been 3 before, and closed on execve.
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execv(command[0], command)
    return pid
def wait_for_socket():
    while True:
        s = new()
        try: s.connect(path); return
        except OSError: time.sleep(0.005)
        finally: s.close()
pid = start()
if not passes: wait_for_socket()
print(pid, flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "start":
        pid = start()
        if not passes: wait_for_socket()
        print(pid, flush=True)
    else:
        os.kill(pid, int(word))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        pid = 0
if pid: os.kill(pid, signal.SIGTERM); os.waitpid(pid, 0)
`;

/** A service that can be ended, and started again with the same configuration. */
export interface SupervisedService extends AsyncDisposable {
  /** Holds its socket and its configuration, and the directories `boxes` and `locks`. */
  readonly directory: string;
  readonly socket: string;
  /** The process that serves now. */
  pid: number;
  /** Sends a signal to the service and waits for its end; gives its exit status, or minus a signal. */
  end(signal: number): Promise<number>;
  /** Starts it again; without a passed socket it is then ready. */
  start(): Promise<void>;
}

/** Starts a service with its parent; `passSocket`: the parent has the socket, and passes it on. */
export async function superviseService(
  { passSocket, lines = [] }: { passSocket: boolean; lines?: readonly string[] },
): Promise<SupervisedService> {
  const directory = await Deno.makeTempDir({ prefix: "isolate-test-" });
  await Deno.chmod(directory, 0o755);
  const [socket, config] = [`${directory}/socket`, `${directory}/config`];
  const settings = [
    `service_socket = ${socket}`,
    "service_socket_mode = 0666",
    `box_root = ${directory}/boxes`,
    `lock_root = ${directory}/locks`,
    ...lines,
  ];
  await Deno.writeTextFile(config, settings.join("\n") + "\n");
  const way = passSocket ? "pass" : "own";
  const parent = new Deno.Command("/usr/bin/python3", {
    args: ["-c", PARENT, socket, way, ...DIRECT, "serve", `--config=${config}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = parent.stdin.getWriter();
  const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let read = "";
  const answer = async () => {
    while (!read.includes("\n")) {
      const { value } = await reader.read();
      assert(value !== undefined, "the parent of the service has ended");
      read += value;
    }
    const [line, ...rest] = read.split("\n");
    read = rest.join("\n");
    return Number(line);
  };
  const ask = async (line: string) => {
    await writer.write(new TextEncoder().encode(`${line}\n`));
    return await answer();
  };
  const service: SupervisedService = {
    directory,
    socket,
    pid: await answer(),
    end: (signal) => ask(`${signal}`),
    start: async () => {
      service.pid = await ask("start");
    },
    [Symbol.asyncDispose]: async () => {
      await writer.close();
      assertEquals((await parent.status).code, 0);
      await reader.read();
      await Deno.remove(directory, { recursive: true });
    },
  };
  return service;
}
