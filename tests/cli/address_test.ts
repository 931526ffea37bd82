/** `--address`: a box with an address of its own, on a bridge of the host. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  type CommandResult,
  eventually,
  isolate,
  sh,
  type TestBox,
  USES_SERVICE,
  withBox,
  withScratch,
} from "../support/isolate.ts";
import { needs, testWith } from "../support/skip.ts";

const BRIDGE = "iso-test0";
const HOST = "10.213.77.1";
const [FIRST, SECOND] = ["10.213.77.5", "10.213.77.6"];
const ADDRESS = `--address=${FIRST}/24`;

/** Gives a test two boxes on a bridge of its own. */
async function withBridge(
  test: (first: TestBox, second: TestBox) => Promise<void>,
  lines: readonly string[] = [],
): Promise<void> {
  await withScratch(async (scratch) => {
    const config = `${scratch}/config`;
    const settings = [
      `bridge = ${BRIDGE}`,
      `bridge_address = ${HOST}/24, fd13:77::1/64`,
      `lock_root = ${scratch}/locks`,
      ...lines,
    ];
    await Deno.writeTextFile(config, settings.join("\n") + "\n");
    const options = [`--config=${config}`];
    await withBox(567, async (first) => {
      await withBox(568, async (second) => await test(first, second), { options });
    }, { options });
  });
}

/** Lists our bridge and the links of our boxes: other bridges are those of other tests. */
async function links(): Promise<string> {
  return await sh(
    `ip -o link | grep -E ' (iso-|iso6)' | grep -E '${BRIDGE}|isolate box 56[78] ' || true`,
  );
}

/** Registers a test where there are the programs that it looks with. */
function check(name: string, test: () => Promise<void>): void {
  testWith([needs.command("ip"), needs.command("python3")], name, test);
}

/** A server in bash's reach: says hello to whoever connects. */
const SERVER = "import socket\n" +
  "s = socket.create_server(('', 7777), family=socket.AF_INET)\n" +
  "print('ready', flush=True)\n" +
  "while True:\n    c, _ = s.accept(); c.send(b'hello\\n'); c.close()\n";

/** Asks a server; one that answers has time for it, on a busy machine too. */
function ask(address: string, { seconds = 30 }: { seconds?: number } = {}): string {
  return `{ timeout ${seconds} head -1 </dev/tcp/${address}/7777; } 2>&1 || true`;
}

async function startServer(box: TestBox, options: readonly string[]) {
  const file = box.path("server.py");
  await Deno.writeTextFile(file, SERVER);
  const running = box.start(["-p", "-w200", "-oout", ...options], [
    "/usr/bin/python3",
    "server.py",
  ]);
  let ended: CommandResult | undefined;
  void running.result.then((result) => ended = result);
  await eventually("the server is ready", async () => {
    assert(ended === undefined, `the server has ended: ${ended?.stderr}`);
    return (await Deno.readTextFile(box.path("out")).catch(() => "")).includes("ready");
  });
  return running;
}

async function bash(box: TestBox, script: string, options: readonly string[]): Promise<string> {
  return (await box.run(["-p", ...options], ["/bin/bash", "-c", script])).stdout;
}

check(
  "a box with an address has one interface with it, reaches the host, and has no route beyond",
  async () => {
    await withBridge(async (box) => {
      using server = Deno.listen({ hostname: "0.0.0.0", port: 7777 });
      const answering = (async () => {
        for await (const connection of server) {
          await connection.write(new TextEncoder().encode("hello\n"));
          connection.close();
        }
      })().catch(() => {});
      const script = `ip -o addr | tr -s ' ' | cut -d' ' -f2,4; ip route; ip -6 route; ${
        ask(HOST)
      }`;
      assertEquals(
        await bash(box, script, [ADDRESS]),
        `lo 127.0.0.1/8\nlo ::1/128\neth0 ${FIRST}/24\n` +
          `10.213.77.0/24 dev eth0 proto kernel scope link src ${FIRST} \nhello\n`,
      );
      assertStringIncludes(await bash(box, ask("1.1.1.1"), [ADDRESS]), "unreachable");
      assertEquals(await links(), "");
      server.close();
      await answering;
    });
  },
);

check("a box can have an IPv6 address, and a route by a gateway of the configuration", async () => {
  await withBridge(async (box) => {
    const script =
      "ip -o -6 addr show eth0 | tr -s ' ' | cut -d' ' -f4; ip -6 route show default | cut -d' ' -f1-5";
    assertEquals(
      await bash(box, script, ["--address=fd13:77::5/64"]),
      "fd13:77::5/64\ndefault via fd13:77::1 dev eth0\n",
    );
    assertEquals(
      await bash(
        box,
        "ip -o addr show eth0 | tr -s ' ' | cut -d' ' -f4; ip route show default | cut -d' ' -f1-5",
        [
          ADDRESS,
        ],
      ),
      `${FIRST}/24\ndefault via ${HOST} dev eth0\n`,
    );
  }, [`bridge_gateway = ${HOST}, fd13:77::1`]);
});

check("the host reaches a box, other boxes do not, and the next run has no network", async () => {
  await withBridge(async (first, second) => {
    await using server = await startServer(first, [ADDRESS]);
    assertEquals(await sh(ask(FIRST)), "hello\n");
    const answer = await bash(second, ask(FIRST, { seconds: 3 }), [`--address=${SECOND}/24`]);
    assert(!answer.includes("hello"), answer);
    server.kill("SIGTERM");
    await server.result;
    assertEquals(await first.sh("ip -o link | wc -l"), "1\n");
    assertEquals(await links(), "");
  });
});

check("boxes reach each other where the configuration says so", async () => {
  await withBridge(async (first, second) => {
    await using server = await startServer(first, [ADDRESS]);
    assertEquals(await bash(second, ask(FIRST), [`--address=${SECOND}/24`]), "hello\n");
    server.kill("SIGTERM");
    await server.result;
  }, ["bridge_isolated = 0"]);
});

check("an address that another box has is refused", async () => {
  await withBridge(async (first, second) => {
    await using server = await startServer(first, [ADDRESS]);
    const run = await second.run([ADDRESS], ["/bin/true"]);
    assertRefused(run, `The address ${FIRST} is used by another box at the moment`);
    assertEquals(await sh(ask(FIRST)), "hello\n");
    server.kill("SIGTERM");
    await server.result;
    assertEquals((await second.run([ADDRESS], ["/bin/true"])).code, 0);
  });
});

check(
  "nothing is left after a command that is killed, and the address can be used at once",
  async () => {
    await withBridge(async (box) => {
      for (let i = 0; i < 2; i++) {
        const server = await startServer(box, [ADDRESS]);
        server.kill("SIGKILL");
        await server.result;
        await eventually(
          "the box is free",
          async () => (await box.run([ADDRESS], ["/bin/true"])).code === 0,
        );
        await Deno.remove(box.path("out")).catch(() => {});
      }
      await using server = await startServer(box, [ADDRESS]);
      server.kill("SIGKILL");
      await server.result;
      await eventually(
        "the interface is gone",
        async () => !(await links()).includes("iso-0ad54d05"),
      );
    });
    assertEquals(await links(), "");
  },
);

check(
  "a bridge that somebody else has made stays, and an interface that is none is refused",
  async () => {
    await sh(`ip link add ${BRIDGE} type bridge; ip link set ${BRIDGE} up`);
    try {
      await withBridge(async (box) => {
        assertEquals(await box.sh("ip -o addr show eth0 | wc -l", [ADDRESS]), "1\n");
        assertStringIncludes(await links(), BRIDGE);
      });
      assertStringIncludes(await links(), BRIDGE);
    } finally {
      await sh(`ip link del ${BRIDGE}`);
    }
    await sh(
      `ip link add ${BRIDGE} type dummy 2>/dev/null || ip link add ${BRIDGE} type veth peer name isov1`,
    );
    try {
      await withBridge(async (box) => {
        assertRefused(await box.run([ADDRESS], ["/bin/true"]), "is not a bridge");
      });
    } finally {
      await sh(`ip link del ${BRIDGE}`);
    }
  },
);

check("what is no address for a box is refused with what is wrong", async () => {
  await withBridge(async (box) => {
    const reasons = {
      "10.213.77.5": "takes an IPv4 or IPv6 address and the length of its network",
      "": "takes an IPv4 or IPv6 address",
      "10.213.77.5/33": "takes an IPv4 or IPv6 address",
      "10.213.77.0/24": "the address of the network itself",
      "10.213.77.255/24": "the broadcast address",
      "127.0.0.2/8": "a loopback address",
      "224.0.0.5/24": "a multicast address",
      "fe80::5/64": "link-local",
      [`${HOST}/24`]: "to the bridge or the gateway",
    };
    for (const [address, reason] of Object.entries(reasons)) {
      assertRefused(await box.run([`--address=${address}`], ["/bin/true"]), reason);
    }
    const both = await box.run([ADDRESS, "--share-net"], ["/bin/true"]);
    assertRefused(both, "--address and --share-net exclude each other");
    assertEquals(await links(), "");
  });
});

check("users get the addresses that the configuration gives them, and no others", async () => {
  // A service has read its own configuration.
  if (USES_SERVICE) return;
  const asUser = (uid: number) => [`--as-uid=${uid}`, `--as-gid=${uid}`];
  const attempt = async (lines: readonly string[], uid: number, address: string) => {
    let result = { code: -1, stdout: "", stderr: "" };
    await withBridge(async (box) => {
      const [config] = box.args([], []).filter((arg) => arg.startsWith("--config="));
      const own = ["-b569", config!];
      // It must be that of the machine: only root may name another one.
      const script = "mount -t tmpfs none /usr/local/etc; cp $0 /usr/local/etc/isolate";
      const place = config!.slice("--config=".length);
      const through = ["unshare", "--mount", "sh", "-ec", `${script}; exec "$@"`, place];
      await isolate(["-b569", ...asUser(uid), "--init"], { through });
      const run = [
        "-b569",
        ...asUser(uid),
        "-s",
        `--address=${address}`,
        "--run",
        "--",
        "/bin/true",
      ];
      result = await isolate(run, { through });
      await isolate([...own, "--cleanup"]);
    }, lines);
    return result;
  };
  const lines = ["address_pool = 10.213.77.0/28", "address_user.1234 = 10.213.77.64/28"];
  assertRefused(await attempt([], 1234, "10.213.77.5/28"), "User 1234 may give boxes no address");
  assertEquals((await attempt(lines, 1234, "10.213.77.5/28")).stderr, "");
  assertEquals((await attempt(lines, 1234, "10.213.77.70/28")).code, 0);
  assertRefused(
    await attempt(lines, 1235, "10.213.77.70/28"),
    "User 1235 may not give a box the address 10.213.77.70/28: it must lie, with all of its network, " +
      "within 10.213.77.0/28",
  );
  assertRefused(await attempt(lines, 1234, "10.213.77.5/24"), "with all of its network");
});
