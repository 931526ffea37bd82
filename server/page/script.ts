/** What the page does. It asks the same routes as any other client. */

export const SCRIPT = `
"use strict";
const part = (id) => document.getElementById(id);
const SHOWN_LENGTH = 200_000;
const EXAMPLES = {
  python3: 'name = input()\\nprint(f"Hello, {name}!")\\n',
  c: '#include <stdio.h>\\n\\nint main(void) {\\n    char name[100];\\n    if (scanf("%99s", name) == 1) printf("Hello, %s!\\\\n", name);\\n}\\n',
  cpp: '#include <iostream>\\n#include <string>\\n\\nint main() {\\n    std::string name;\\n    std::cin >> name;\\n    std::cout << "Hello, " << name << "!\\\\n";\\n}\\n',
  java: 'import java.util.Scanner;\\n\\npublic class Main {\\n    public static void main(String[] args) {\\n        String name = new Scanner(System.in).nextLine();\\n        System.out.println("Hello, " + name + "!");\\n    }\\n}\\n',
  javascript: 'const name = require("fs").readFileSync(0, "utf8").trim();\\nconsole.log(\`Hello, \${name}!\`);\\n',
  bash: 'read -r name\\necho "Hello, $name!"\\n',
  shell: 'read -r name\\necho "Hello, $name!"\\n',
};
const STATUSES = {
  ok: "Ended well",
  "compile-error": "Compile error",
  "runtime-error": "Runtime error",
  "time-limit": "Time limit exceeded",
  "memory-limit": "Memory limit exceeded",
  "output-limit": "Output limit exceeded",
  "not-executed": "Could not be executed",
  failed: "The server failed",
  cancelled: "Cancelled",
};
let example = "";
let running;

function headers(more) {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: "Bearer " + token, ...more } : more;
}

/** Asks, and asks for the token where it is missing. */
async function ask(path, init = {}) {
  for (;;) {
    const response = await fetch(path, { ...init, headers: headers(init.headers ?? {}) });
    if (response.status !== 401) return response;
    await askForToken();
  }
}

function askForToken() {
  return new Promise((resolve) => {
    const dialog = part("ask");
    dialog.onclose = () => {
      sessionStorage.setItem("token", part("token").value);
      resolve();
    };
    dialog.showModal();
  });
}

async function loadLanguages() {
  const response = await ask("run/languages");
  if (!response.ok) throw new Error(await complaint(response));
  const select = part("language");
  select.replaceChildren();
  for (const { id, name, version } of await response.json()) {
    const number = /\\d+(\\.\\d+)+/.exec(version)?.[0];
    select.append(new Option(number ? name + " (" + number + ")" : name, id));
  }
  if ([...select.options].some(({ value }) => value === "python3")) select.value = "python3";
  select.disabled = false;
  part("run").disabled = false;
  showExample();
}

function showExample() {
  const source = part("source");
  if (source.value !== example) return;
  example = EXAMPLES[part("language").value] ?? "";
  source.value = example;
  const stdin = part("stdin");
  if (example !== "" && stdin.value === "") stdin.value = "World\\n";
}

async function complaint(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).message;
  } catch {
    return "The server answered " + response.status;
  }
}

function say(kind, text) {
  const status = part("status");
  status.dataset.kind = kind;
  status.textContent = text;
}

function show(id, text) {
  const pre = part(id);
  const room = SHOWN_LENGTH - pre.textContent.length;
  if (room > 0) pre.append(text.slice(0, room));
  pre.scrollTop = pre.scrollHeight;
}

function clear() {
  for (const id of ["stdout", "stderr", "compiler"]) part(id).replaceChildren();
  for (const id of ["cpu", "wall", "memory", "exit"]) part(id).textContent = "–";
  part("compiler-part").hidden = true;
}

function showFacts({ cpuTimeMs, wallTimeMs, memoryKib, exitCode, signal }) {
  const time = (ms) => ms < 1000 ? ms.toFixed(1) + " ms" : (ms / 1000).toFixed(2) + " s";
  part("cpu").textContent = time(cpuTimeMs);
  part("wall").textContent = time(wallTimeMs);
  part("memory").textContent = (memoryKib / 1024).toFixed(1) + " MiB";
  part("exit").textContent = signal !== null ? "signal " + signal : exitCode ?? "–";
}

const HANDLERS = {
  begin: ({ stage }) => say("busy", stage === "compile" ? "Compiling…" : "Running…"),
  output({ stage, stream, text }) {
    if (stage === "compile") part("compiler-part").hidden = false;
    show(stage === "compile" ? "compiler" : stream, text);
  },
  compile(result) {
    const { status, message, stdout, stderr } = result;
    if (part("compiler").textContent === "" && stdout + stderr !== "") {
      HANDLERS.output({ stage: "compile", text: stderr + stdout });
    }
    if (status === "ok") return;
    showFacts(result);
    // What the compiler says is enough.
    finish(status, status === "compile-error" ? "" : message);
  },
  test(result) {
    showFacts(result);
    finish(result.status, result.message);
  },
  error: ({ message }) => say("bad", message),
};

function finish(status, message) {
  const name = STATUSES[status] ?? status;
  say(status === "ok" ? "good" : "bad", message && message !== name ? name + ": " + message : name);
}

async function run() {
  if (part("run").disabled) return;
  if (running) return running.abort();
  running = new AbortController();
  part("run").textContent = "Stop";
  clear();
  say("busy", "Waiting…");
  part("status").scrollIntoView({ block: "nearest" });
  try {
    const args = part("args").value.split("\\n").filter((line) => line !== "");
    const response = await ask("run", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/x-ndjson" },
      body: JSON.stringify({
        language: part("language").value,
        source: part("source").value,
        tests: [{ stdin: part("stdin").value, args }],
        output: "pieces",
      }),
      signal: running.signal,
    });
    if (!response.ok) return say("bad", await complaint(response));
    let rest = "";
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + decoder.decode(piece.value, { stream: true })).split("\\n");
      rest = lines.pop();
      for (const line of lines) {
        const event = JSON.parse(line);
        HANDLERS[event.event]?.(event);
      }
    }
  } catch (error) {
    say("bad", running.signal.aborted ? "Stopped" : "The server cannot be reached: " + error.message);
  } finally {
    running = undefined;
    part("run").textContent = "Run";
  }
}

let leaves = false;
part("source").addEventListener("keydown", (event) => {
  if (event.key === "Escape") leaves = true;
  else if (event.key === "Tab" && !leaves && !event.shiftKey) {
    event.preventDefault();
    document.execCommand("insertText", false, "    ");
  } else if (event.key !== "Shift") leaves = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!running) run();
  }
});
part("run").addEventListener("click", run);
part("language").addEventListener("change", showExample);
loadLanguages().catch((error) => say("bad", error.message));
`;
