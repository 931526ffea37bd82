/** A service with boxes of its own, and one of them to be looked at and steered. */

import { assertEquals } from "@std/assert";
import {
  CLIENT,
  type CommandOptions,
  type CommandResult,
  eventually,
  type RunningCommand,
  start,
  withScratch,
} from "./isolate.ts";
import { startService } from "./service.ts";

export const USER = 7100;
export const OTHER = 7101;

/** What runs a command as a user. */
export const as = (
  uid: number,
) => ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];

export interface Steered {
  /** Runs the native client, as root unless a user is named. */
  client(args: readonly string[], uid?: number): Promise<CommandResult>;
  begin(args: readonly string[], uid?: number): RunningCommand;
  /** What `status --json` says. */
  status(id: number, uid?: number): Promise<Status>;
  metricsSocket: string;
  /** For other clients. */
  environment: Record<string, string>;
}

export interface Status {
  state: string;
  program: string[] | null;
  wallTimeMs: number | null;
  processes: { name: string; pidInBox: number; descriptors: { count: number } }[];
  last: {
    outcome: { kind: string; signal?: number };
    crash: {
      signal: number;
      codeName: string;
      thread: number;
      registers: Record<string, string>;
    } | null;
  } | null;
}

/** Starts a service with boxes of its own, and makes box 1 for a user. */
export function steeringTest(name: string, test: (steered: Steered) => Promise<void>): void {
  Deno.test(name, async () => {
    await withScratch(async (scratch) => {
      const metricsSocket = `${scratch}/metrics`;
      await using service = await startService([
        "box_root = /var/local/lib/isolate-steering",
        `lock_root = ${scratch}/locks`,
        "first_uid = 72000",
        "first_gid = 72000",
        `service_user.${USER} = 0-9`,
        `service_user.${OTHER} = 1-9`,
        `service_metrics_socket = ${metricsSocket}`,
      ]);
      const environment = { ISOLATE_SERVICE: service.socket };
      const begin = (args: readonly string[], uid?: number) => {
        const options: CommandOptions = { env: environment };
        return start([CLIENT, ...args], uid ? { ...options, through: as(uid) } : options);
      };
      const client = (args: readonly string[], uid?: number) => begin(args, uid).result;
      const status = async (id: number, uid?: number) =>
        JSON.parse((await client(["status", `${id}`, "--json"], uid)).stdout) as Status;
      try {
        assertEquals((await client(["--init", "-b1"], USER)).code, 0);
        await test({ client, begin, status, metricsSocket, environment });
      } finally {
        await client(["--cleanup", "-b1"]);
      }
    });
  });
}

export async function runsSoon({ status }: Steered, name: string): Promise<void> {
  await eventually(`${name} runs`, async () => {
    return (await status(1)).processes.some((process) => process.name === name);
  });
}
