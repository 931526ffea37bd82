/** Clients of a service that do the same all the time, each in a box of its own. */

import { assertEquals } from "@std/assert";
import { CLIENT, start } from "./isolate.ts";

/** What clients have done. */
export interface LoadResult {
  /** How many commands they gave. */
  readonly commands: number;
  /** What those that failed said. */
  readonly failures: readonly string[];
}

/** Clients at work, until they are told to end. */
export interface Load {
  end(): Promise<LoadResult>;
}

/** Starts clients, one for each box; `options` go into each of their commands. */
export async function startLoad(
  { socket, boxIds, options = [] }: {
    socket: string;
    boxIds: readonly number[];
    options?: readonly string[];
  },
): Promise<Load> {
  const folder = await Deno.makeTempDir({ prefix: "isolate-test-" });
  const script = `
commands=0
try() {
  commands=$((commands + 1))
  "$0" "$@" >"$folder/$id.out" 2>&1 || echo "$*: status $?: $(cat "$folder/$id.out")"
}
while [ ! -e "$folder/end" ]; do
  try -b "$id" ${options.join(" ")} --init
  for i in 1 2 3 4; do
    try -b "$id" ${
    options.join(" ")
  } -s --run -- /bin/sh -c 'echo x >file; read -t 0.0$1 x; [ -e file ]' sh $i
  done
  try -b "$id" ${options.join(" ")} --cleanup
done
echo "commands $commands"`;
  const clients = boxIds.map((id) =>
    start(["/bin/bash", "-c", script, CLIENT], {
      env: { ISOLATE_SERVICE: socket, folder, id: `${id}` },
    })
  );
  return {
    end: async () => {
      await Deno.writeTextFile(`${folder}/end`, "");
      const results = await Promise.all(clients.map(({ result }) => result));
      await Deno.remove(folder, { recursive: true });
      const lines = results.flatMap(({ stdout, stderr }) => [
        ...stdout.split("\n"),
        ...stderr.split("\n"),
      ]).filter((line) => line !== "");
      const counts = lines.flatMap((line) => /^commands (\d+)$/.exec(line)?.[1] ?? []);
      assertEquals(counts.length, clients.length, lines.join("\n"));
      return {
        commands: counts.reduce((sum, count) => sum + Number(count), 0),
        failures: lines.filter((line) => !line.startsWith("commands ")),
      };
    },
  };
}
