/** A resident service for tests, with a socket of its own. */

/** A running service, which ends with the process or the test file that started it. */
export interface TestService extends AsyncDisposable {
  readonly socket: string;
  readonly pid: number;
}

/**
 * Starts a command and prints its process id. Whatever happens to the tests, the pipe of the shell ends
 * with them, and so does the command; a shell that has died before the command asked for a signal then
 * sends none. In the end the directory that is its name is removed.
 */
export const SERVICE_SHELL = `
exec 3<&0
setpriv --pdeathsig TERM /bin/sh -c '[ "$PPID" = "$0" ] && exec "$@"' $$ "$@" </dev/null &
echo $!
read -r _ <&3
kill $!
wait $!
rm -r "$0"`;

/**
 * Starts the service and waits until it accepts clients.
 *
 * @param lines are added to its configuration
 * @param options.through a command that starts it in its own process
 * @param options.firstUser the first of the users of boxes, which are then no other service's
 */
export async function startService(
  lines: readonly string[] = [],
  { through = [], firstUser }: { through?: readonly string[]; firstUser?: number } = {},
): Promise<TestService> {
  const directory = await Deno.makeTempDir({ prefix: "isolate-test-" });
  await Deno.chmod(directory, 0o755);
  const [socket, config] = [`${directory}/socket`, `${directory}/config`];
  const settings = [`service_socket = ${socket}`, "service_socket_mode = 0666", ...lines];
  if (firstUser !== undefined) {
    settings.push(`box_root = ${directory}/boxes`, `lock_root = ${directory}/locks`);
    settings.push(`first_uid = ${firstUser}`, `first_gid = ${firstUser}`);
  }
  await Deno.writeTextFile(config, settings.join("\n") + "\n");
  const script = new URL("../../direct.ts", import.meta.url).pathname;
  const permissions = ["run", "--quiet", "--no-prompt", "--allow-ffi"];
  const child = new Deno.Command("/bin/bash", {
    args: [
      ...["-c", SERVICE_SHELL, directory, ...through, Deno.execPath(), ...permissions],
      ...[script, "serve", `--config=${config}`],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let pid: number | undefined;
  // A test file that ends kills the shell before it can do that; and the kernel forgets the signal that
  // the service asked for when that becomes another user for a moment.
  globalThis.addEventListener("unload", () => {
    try {
      if (pid !== undefined) Deno.kill(pid, "SIGTERM");
    } catch {
      // It has ended.
    }
    try {
      Deno.removeSync(directory, { recursive: true });
    } catch {
      // It has.
    }
  });
  const reader = child.stdout.getReader();
  pid = Number(new TextDecoder().decode((await reader.read()).value));
  // In an emulated guest it takes half a minute.
  for (const end = Date.now() + 90_000; !await exists(socket);) {
    if (Date.now() > end) throw new Error("the service does not start");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    socket,
    pid,
    [Symbol.asyncDispose]: async () => {
      pid = undefined;
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
