/** Programs that try to reach something outside. */

import { createSocket } from "node:dgram";
import { assertStringIncludes } from "@std/assert";
import { assertDenied, attack, attackProgram } from "../support/attack.ts";
import { start, withBox, withScratch } from "../support/isolate.ts";

/** Servers of the host: TCP and UDP (which answers) on all its addresses. */
async function withServers(
  test: (servers: { tcp: number; udp: number; address: string }) => Promise<void>,
): Promise<void> {
  using tcp = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const udp = createSocket("udp4");
  udp.on("message", (_, from) => udp.send("answer", from.port, from.address));
  await new Promise<void>((resolve) => udp.bind(0, resolve));
  const accepting = (async () => {
    for await (const connection of tcp) connection.close();
  })().catch(() => {});
  const address = Deno.networkInterfaces()
    .find(({ family, name }) => family === "IPv4" && name !== "lo")?.address ?? "127.0.0.1";
  try {
    await test({ tcp: tcp.addr.port, udp: udp.address().port, address });
  } finally {
    tcp.close();
    await new Promise<void>((resolve) => udp.close(() => resolve()));
    await accepting;
  }
}

Deno.test("a program reaches no server by TCP or UDP, neither the host's nor another", async () => {
  await withServers(async ({ tcp, udp, address }) => {
    const args = ["internet", String(tcp), String(udp), address] as const;
    // Outside of a box the same program reaches both.
    const outside = await start([await attackProgram("network"), ...args]).result;
    assertStringIncludes(outside.stdout, "TCP to the host's loopback: GOT THROUGH");
    assertStringIncludes(outside.stdout, "UDP to the host's loopback: GOT THROUGH");
    await withBox(225, async (box) => {
      assertDenied(await attack(box, ["network", ...args]), 6);
      assertDenied(await attack(box, ["network", ...args], ["--syscalls=0"]), 6);
    });
  });
});

Deno.test("a program reaches no unix socket of the host, abstract or with a path", async () => {
  await withScratch(async (scratch) => {
    const path = `${scratch}/socket`;
    const abstract = `isolate-walls-${crypto.randomUUID()}`;
    const script = `
import os, socket, sys
keep = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    s = socket.socket(socket.AF_UNIX, kind); keep.append(s)
    try: s.bind("\\0" + sys.argv[1])
    except OSError: continue
    if kind != socket.SOCK_DGRAM: s.listen(9)
s = socket.socket(socket.AF_UNIX); keep.append(s)
s.bind(sys.argv[2]); os.chmod(sys.argv[2], 0o777); s.listen(9)
print("listening", flush=True)
sys.stdin.read()
`;
    const server = new Deno.Command("python3", {
      args: ["-c", script, abstract, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    try {
      await server.stdout.getReader().read();
      const outside = await start([await attackProgram("network"), "unix", abstract, path]).result;
      assertStringIncludes(outside.stdout, "abstract socket of type 1: GOT THROUGH");
      assertStringIncludes(outside.stdout, "a socket with a path: GOT THROUGH");
      await withBox(226, async (box) => {
        assertDenied(await attack(box, ["network", "unix", abstract, path]), 6);
      });
    } finally {
      server.kill("SIGKILL");
      await server.stdin.close().catch(() => {});
      await server.status;
    }
  });
});

Deno.test("a program gets no socket to the hypervisor, to the wire or of raw IP", async () => {
  await withBox(227, async (box) => {
    assertDenied(await attack(box, ["network", "other"]), 11);
  });
});

Deno.test("a program sees lo alone by netlink, and can change nothing", async () => {
  await withBox(227, async (box) => {
    assertDenied(await attack(box, ["network", "netlink"]), 5);
  });
});
