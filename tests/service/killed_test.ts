/** The service is killed at any moment: boxes die with it, and the next one finds all in order. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { SIGNALS } from "../../ffi/linux.ts";
import { groupsOf, membersOf, needsControlGroup } from "../support/control_group.ts";
import { CLIENT, eventually, processesOf, type RunningCommand, start } from "../support/isolate.ts";
import { testWith } from "../support/skip.ts";
import { type SupervisedService, superviseService } from "../support/supervised_service.ts";

const BOX_ID = 680;
const OTHER_BOX_ID = 681;
const FIRST_UID = 60000;
/** Whose boxes they are. */
const CALLER = 1000;
/** In a guest only control groups make a difference, and everything takes ten times as long. */
const IS_GUEST = exists("/vm/run");
/** Enough for work that takes some hundred milliseconds. */
const MANY = IS_GUEST ? 1000 : 6000;
/** On a busy machine it may take a hundred times as long. */
const MANY_MS = 300_000;
const MANY_FILES = `for i in {1..${MANY / 1000}}; do mkdir d$i; (cd d$i; touch {1..1000}); done`;
const DELAYS_MS = IS_GUEST ? [40] : [0, 70];
const ROUNDS = IS_GUEST ? 4 : 8;
const BRIDGE = "iso-test4";
const ADDRESS = "10.213.80.5/24";
/** What the interface of a box with that address is called on the host. */
const INTERFACE = "iso-0ad55005";

/** Gives commands to a service as an ordinary user, all for one box. */
class Caller {
  constructor(
    readonly service: SupervisedService,
    readonly options: readonly string[],
    readonly boxId: number = BOX_ID,
  ) {}

  start(...args: string[]): RunningCommand {
    const through = [`--reuid=${CALLER}`, `--regid=${CALLER}`, "--clear-groups"];
    return start(
      [`${this.service.directory}/isolate`, `-b${this.boxId}`, ...this.options, ...args],
      {
        env: { ISOLATE_SERVICE: this.service.socket },
        through: ["setpriv", ...through],
      },
    );
  }

  run(script: string): RunningCommand {
    return this.start("-p", "--run", "--", "/bin/bash", "-c", script);
  }

  async succeed(...args: string[]): Promise<void> {
    const { code, stderr } = await this.start(...args).result;
    assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
  }
}

/** What the service does when it is killed: brings it there, and gives the client that it works for. */
const MOMENTS: Readonly<Record<string, (caller: Caller) => Promise<RunningCommand | undefined>>> = {
  "it is idle": () => Promise.resolve(undefined),
  "a program runs": async (caller) => {
    await caller.succeed("--init");
    const script = "echo >started; ln -s /etc/passwd link; chmod 777 .; sleep 100 & sleep 100";
    const running = caller.run(script);
    await eventually("it runs", () => exists(`${boxOf(caller)}/started`));
    return running;
  },
  "a box is ready": async (caller) => {
    await caller.succeed("--init");
    assertEquals((await caller.run("echo >file").result).code, 0);
    return undefined;
  },
  "a box with many files is made again": async (caller) => {
    await makeMany(caller);
    return caller.start("--init");
  },
  "a box with many files is removed": async (caller) => {
    await makeMany(caller);
    return caller.start("--cleanup");
  },
  "many files are given to the box": async (caller) => {
    await makeMany(caller);
    return caller.run("true");
  },
  "many files are given back": async (caller) => {
    await caller.succeed("--init");
    const running = caller.run(`${MANY_FILES}; echo >ended`);
    await eventually("it ends", () => exists(`${boxOf(caller)}/ended`), MANY_MS);
    return running;
  },
  "a program is root inside and has an address": async (caller) => {
    await caller.succeed("--init");
    const options = ["--root-inside", `--address=${ADDRESS}`, "-p"];
    const script = "echo >started; chmod 777 .; sleep 100 & sleep 100";
    const running = caller.start(...options, "--run", "--", "/bin/bash", "-c", script);
    await eventually("it runs", () => exists(`${boxOf(caller)}/started`));
    assertEquals(interfaces(), [BRIDGE, INTERFACE]);
    return running;
  },
  "a box has a file system of its own": async (caller) => {
    await caller.succeed("--box-size=10000", "--init");
    const running = caller.run("echo >started; exec sleep 100");
    await eventually("it runs", () => exists(`${boxOf(caller)}/started`));
    return running;
  },
};

async function makeMany(caller: Caller): Promise<void> {
  await caller.succeed("--init");
  assertEquals((await caller.run(MANY_FILES).result).code, 0);
}

function boxOf({ service, boxId }: Caller): string {
  return `${service.directory}/boxes/${boxId}/box`;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function interfaces(): string[] {
  return [BRIDGE, INTERFACE].filter((name) => exists(`/sys/class/net/${name}`));
}

/** Groups that a test left which was killed itself are not the service's: its locks are others. */
const STALE = needsControlGroup.any() ? [] : [BOX_ID, OTHER_BOX_ID].flatMap(groupsOf);

function groupsLeft(boxId: number): string[] {
  return groupsOf(boxId).filter((group) => !STALE.includes(group));
}

/** The owners of all files below a directory. */
function ownersIn(directory: string): Set<number> {
  const found = new Set([Deno.lstatSync(directory).uid!]);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    found.add(Deno.lstatSync(path).uid!);
    if (isDirectory) { for (const uid of ownersIn(path)) found.add(uid); }
  }
  return found;
}

/** Checks that the last service has left nothing, and that everything works. */
async function assertInOrder(caller: Caller): Promise<void> {
  const { service, options, boxId } = caller;
  // Clients wait until everything is in order.
  await caller.succeed("--version");
  // On a busy machine those that have been killed may need a moment to get a processor, and die.
  await eventually(
    "the processes are dead",
    async () => (await processesOf(FIRST_UID + boxId)).length === 0,
  );
  assertEquals(interfaces(), []);
  const box = boxOf(caller);
  if (exists(box)) {
    assertEquals([...ownersIn(box)], [CALLER]);
    assertEquals(Deno.lstatSync(box).mode! & 0o7777, 0o700);
    assert(!exists(`${box}/link`), "no link waits for the caller");
    // It is as good as before.
    assertEquals((await caller.run("echo >again").result).code, 0);
    assertEquals([...ownersIn(box)], [CALLER]);
  } else {
    const lock = `${service.directory}/locks/${boxId}`;
    assert(!exists(lock) || Deno.statSync(lock).size === 0, "the box is free");
    if (options.includes("--cg")) assertEquals(groupsLeft(boxId), []);
  }
  await caller.succeed("--init");
  if (options.includes("--cg")) assertEquals(await membersOf(boxId), []);
  assertEquals((await caller.run("true").result).code, 0);
  await caller.succeed("--cleanup");
  assert(!exists(`${service.directory}/boxes/${boxId}`));
  if (options.includes("--cg")) assertEquals(groupsLeft(boxId), []);
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  assert(!mounts.includes(service.directory), mounts);
}

/** Kills the service, starts it again, and looks at what the client says. */
async function killAndStart(service: SupervisedService, running?: RunningCommand): Promise<void> {
  assertEquals(await service.end(SIGNALS.SIGKILL), -SIGNALS.SIGKILL);
  if (running) {
    const { code, stderr } = await running.result;
    // It may just have ended.
    if (code !== 0) {
      assertEquals(code, 2, stderr);
      // The outcome may have been told before, or the client may not have come so far as to connect.
      const said =
        /^(OK \(.*\)\n)?The isolate service at \S+ has ended; what it ran is dead\n$|^No isolate service is running at .*\n$/;
      assertMatch(stderr, said);
    }
  }
  await service.start();
}

async function superviseForCaller(): Promise<SupervisedService> {
  const lines = [`bridge = ${BRIDGE}`, `address_user.${CALLER} = 10.213.80.0/24`];
  const service = await superviseService({ passSocket: false, lines });
  await Deno.copyFile(CLIENT, `${service.directory}/isolate`);
  return service;
}

for (const options of IS_GUEST ? [["--cg"]] : [[], ["--cg"]]) {
  const requirements = options.length > 0 ? [needsControlGroup.any()] : [];
  const how = options.length > 0 ? ", with control groups" : "";
  for (const [moment, reach] of Object.entries(MOMENTS)) {
    testWith(requirements, `a service is killed while ${moment}${how}`, async () => {
      await using service = await superviseForCaller();
      const caller = new Caller(service, options);
      try {
        for (const delayMs of DELAYS_MS) {
          const running = await reach(caller);
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          await killAndStart(service, running);
          await assertInOrder(caller);
        }
      } finally {
        // The next service may have its locks where this one had them.
        await caller.start("--wait", "--cleanup").result;
      }
    });
  }

  testWith(requirements, `a service is killed at any moment of short runs${how}`, async () => {
    await using service = await superviseForCaller();
    const callers = [BOX_ID, OTHER_BOX_ID].map((id) => new Caller(service, options, id));
    for (let round = 0; round < ROUNDS; round++) {
      let isOver = false;
      const work = callers.map(async (caller) => {
        while (!isOver) {
          for (const command of ["--init", "run", "run", "--cleanup"]) {
            const running = command === "run" ? caller.run("echo >f") : caller.start(command);
            const { code, stderr } = await running.result;
            assert(
              code === 0 || /has ended|No isolate service|Box not found|again/.test(stderr),
              stderr,
            );
          }
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 150 + 23 * round));
      isOver = true;
      await service.end(SIGNALS.SIGKILL);
      await Promise.all(work);
      await service.start();
      for (const caller of callers) await assertInOrder(caller);
    }
  });
}
