/** The page of the server in a real browser. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ApiServer } from "isolate/tests/support/api_server.ts";
import { Chromium, type Look } from "isolate/tests/support/chromium.ts";
import { boxProcesses, until } from "isolate/tests/support/executor.ts";
import { withFolder } from "isolate/tests/support/folder.ts";
import { needs, testWith } from "isolate/tests/support/skip.ts";

const base = [
  needs.root(),
  needs.command("python3"),
  needs.command("gcc"),
  needs.command("chromium"),
];
const WIDE: Look = { width: 1280, height: 800, scheme: "light" };
const NARROW: Look = { width: 360, height: 700, scheme: "dark" };
const READY = "!document.getElementById('run').disabled";
const CLICK = "document.getElementById('run').click()";

function text(id: string): string {
  return `document.getElementById('${id}').textContent`;
}

async function write(browser: Chromium, fields: Record<string, string>): Promise<void> {
  for (const [id, value] of Object.entries(fields)) {
    await browser.value(`document.getElementById('${id}').value = ${JSON.stringify(value)}`);
  }
}

async function run(browser: Chromium): Promise<string> {
  await browser.value(CLICK);
  const kind = "document.getElementById('status').dataset.kind";
  await browser.until(`['good', 'bad'].includes(${kind})`);
  return await browser.value(text("status"));
}

/** How bright the ground of the page is, from 0 to 255. */
async function brightness(browser: Chromium): Promise<number> {
  const colour = await browser.value("getComputedStyle(document.documentElement).backgroundColor");
  return Math.max(...colour.match(/\d+/g)!.slice(0, 3).map(Number));
}

testWith(
  base,
  "the page runs programs, by day and by night, on wide and narrow screens",
  async () => {
    await using server = await ApiServer.start();
    await using browser = await Chromium.start();
    await browser.open(server.url, WIDE);
    await browser.until(READY);
    assertEquals(await run(browser), "Ended well");
    assertEquals(await browser.value(text("stdout")), "Hello, World!\n");
    assertMatch(await browser.value(text("cpu")), /^\d+\.\d ms$/);
    assertMatch(await browser.value(text("memory")), /^\d+\.\d MiB$/);
    assert(await brightness(browser) > 200);

    await write(browser, {
      source: "import sys\nprint(sys.argv[1:], file=sys.stderr)\nprint('<b>&')\nsys.exit(3)",
      args: "a b\nc",
    });
    assertMatch(await run(browser), /^Runtime error: .*3$/);
    assertEquals(await browser.value(text("stderr")), "['a b', 'c']\n");
    assertEquals(await browser.value(text("stdout")), "<b>&\n");
    assertEquals(await browser.value(text("exit")), "3");

    await browser.open(server.url, NARROW);
    await browser.until(READY);
    assert(await brightness(browser) < 60);
    await write(browser, { language: "c", source: "int main() { retrn; }" });
    assertEquals(await run(browser), "Compile error");
    assertMatch(await browser.value(text("compiler")), /retrn/);
    // Nothing has to be scrolled sideways.
    assert(await browser.value("document.documentElement.scrollWidth <= innerWidth"));

    await write(browser, { language: "python3", source: "import time\ntime.sleep(3)" });
    await browser.value(CLICK);
    await until(() => boxProcesses() > 0);
    await browser.value(CLICK);
    await browser.until(`${text("status")} === 'Stopped'`);
    await until(() => boxProcesses() === 0);
    assertEquals(browser.complaints, []);
  },
);

testWith(base, "the page asks for the token of a server that needs one", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/token`, "the-clients-secret");
    await using server = await ApiServer.start(`--token-file=${folder}/token`);
    await using browser = await Chromium.start();
    await browser.open(server.url, WIDE);
    await browser.until("document.getElementById('ask').open");
    await write(browser, { token: "the-clients-secret" });
    await browser.value("document.querySelector('#ask button').click()");
    await browser.until(READY);
    assertEquals(await run(browser), "Ended well");
  });
});
