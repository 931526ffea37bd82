import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { REPORT, REPORT_KIND } from "../../ffi/abi.ts";
import { Plan } from "../../ffi/plan.ts";
import { System } from "../../ffi/system.ts";
import { type BoxStatus, prepareStatus } from "./reports.ts";

/** The two ends of a socket like that between a box and its keeper. */
function socketPair(system: System): [number, number] {
  const plan = new Plan();
  const pair = plan.alloc(8);
  const [AF_UNIX, SOCK_SEQPACKET] = [1, 5];
  plan.step("socketpair", [AF_UNIX, SOCK_SEQPACKET, 0, pair]);
  system.run(plan, "make a socket");
  return [plan.view(pair).getInt32(0, true), plan.view(pair).getInt32(4, true)];
}

/** Looks at a box that consists of the far ends of two sockets. */
async function withBox(
  test: (context: {
    look: () => BoxStatus;
    send: (fill: (view: DataView) => void) => void;
    hangUp: () => void;
    die: () => void;
  }) => void,
): Promise<void> {
  const system = await System.load();
  const [socket, box] = socketPair(system);
  const [initFd, init] = socketPair(system);
  try {
    test({
      look: prepareStatus(system, { initFd, socket }, { isTraced: false }),
      send: (fill) => {
        const bytes = new Uint8Array(REPORT.size);
        fill(new DataView(bytes.buffer));
        system.writeAll(box, bytes, "a report");
      },
      hangUp: () => system.close(box),
      die: () => system.close(init),
    });
  } finally {
    system.close(socket, box, initFd, init);
  }
}

function sendFailure(view: DataView, step: number): void {
  view.setUint32(REPORT.kind, REPORT_KIND.failed, true);
  view.setUint32(REPORT.step, step, true);
  view.setInt32(REPORT.status, 13, true);
}

Deno.test("a look does not wait where nothing has come", () =>
  withBox(({ look }) => {
    for (let i = 0; i < 3; i++) {
      const { isDead, reports } = look();
      assertEquals([isDead, reports], [false, []]);
    }
  }));

Deno.test("a look sees the time on the clock of wall times", () =>
  withBox(({ look }) => {
    const first = look().nowMs;
    const second = look().nowMs;
    assertGreaterOrEqual(second, first);
    assertLess(second - first, 1000);
  }));

Deno.test("a look sees nothing in a socket that was hung up, and lives on", () =>
  withBox(({ look, hangUp }) => {
    hangUp();
    for (let i = 0; i < 2; i++) assertEquals(look().reports, []);
  }));

Deno.test("a look sees what was said before the death together with the death", () =>
  withBox(({ look, send, die }) => {
    send((view) => sendFailure(view, 1));
    die();
    const { isDead, reports } = look();
    assertEquals([isDead, reports.length], [true, 1]);
    assertEquals(look().reports, []);
  }));

Deno.test("a look reads which steps failed, in order", () =>
  withBox(({ look, send }) => {
    for (const step of [41, 7]) send((view) => sendFailure(view, step));
    assertEquals(look().reports, [41, 7].map((step) => ({ kind: "failed", step, errno: 13 })));
  }));

for (
  const [code, ending] of [
    [1, { how: "exit", exitCode: 9 }],
    [2, { how: "signal", signal: 9 }],
    [3, { how: "signal", signal: 9 }],
  ] as const
) {
  Deno.test(`a look reads an end with si_code ${code}`, () =>
    withBox(({ look, send, hangUp }) => {
      send((view) => {
        view.setUint32(REPORT.kind, REPORT_KIND.ended, true);
        view.setUint32(REPORT.step, code === 1 ? 1 : 0, true);
        view.setInt32(REPORT.status, 9, true);
        view.setInt32(REPORT.code, code, true);
        view.setBigInt64(REPORT.wall, 3n, true);
        view.setBigInt64(REPORT.wall + 8, 500_000n, true);
        view.setBigInt64(REPORT.cpu + 8, 250_000n, true);
        view.setBigInt64(REPORT.maxRssKib, 1000n, true);
        view.setBigInt64(REPORT.voluntarySwitches, 5n, true);
        view.setBigInt64(REPORT.forcedSwitches, 6n, true);
      });
      hangUp();
      assertEquals(look().reports, [{
        kind: "ended",
        ending,
        isAlone: code === 1,
        wallMs: 3000.5,
        cpuMs: 0.25,
        maxRssKib: 1000,
        voluntaryContextSwitches: 5,
        forcedContextSwitches: 6,
      }]);
    }));
}

Deno.test("a look ignores a message of a kind that it does not know, not those after it", () =>
  withBox(({ look, send }) => {
    send((view) => view.setUint32(REPORT.kind, 99, true));
    send((view) => sendFailure(view, 5));
    assertEquals(look().reports, [{ kind: "failed", step: 5, errno: 13 }]);
  }));
