/** Boots a kernel with a root of ours in qemu, and collects what the guest hands out. */

/** How the processors of a guest are run, with words for qemu and for the kernel. */
export interface Accelerator {
  name: "kvm" | "tcg";
  qemuWords: readonly string[];
  kernelWords: readonly string[];
}

/** What a guest is to qemu and to its kernel. */
export interface Machine {
  /** The program of qemu for the guest's processor. */
  qemu: string;
  words: readonly string[];
  console: string;
  /** Whether it has a second serial line for its results; else they are on the console. */
  hasResultsLine: boolean;
}

/** A guest with the processor of this machine. */
const PC: Machine = {
  qemu: "qemu-system-x86_64",
  words: [],
  console: "ttyS0",
  hasResultsLine: true,
};

/** What a guest left behind. */
export interface GuestRun {
  /** Files by their names, as the guest handed them out; none if it did not get that far. */
  results: Map<string, Uint8Array>;
  console: string;
  wallTimeMs: number;
  /** Why it did not end by itself. */
  problem?: string;
  /** Whether its time was over. */
  timedOut: boolean;
}

/** What a guest is made of. */
export interface GuestOptions {
  kernel: string;
  initialRoot: string;
  accelerator: Accelerator;
  /** Default: a PC. */
  machine?: Machine;
  /** Words for the kernel, in addition to those that every guest needs. */
  kernelWords?: readonly string[];
  memoryMib?: number;
  timeLimitMs: number;
  /** Gets each line that the guest writes to its console, as it comes. */
  onLine?: (line: string) => void;
}

/** `panic=-1` with qemu's `-no-reboot`: a panic ends the guest. */
const KERNEL_WORDS = ["panic=-1", "mitigations=off"];

/** Drops one of the two names that Deno writes for a test where its output is not a terminal. */
export function withoutRepeat(line: string): string {
  return line.replace(/^(.+ \.\.\.)\r?\1/, "$1");
}

/** Reads files in base64 between lines `BEGIN NAME` and `END NAME`. */
export function parseResults(text: string): Map<string, Uint8Array> {
  const results = new Map<string, Uint8Array>();
  for (const [, name = "", body = ""] of text.matchAll(/^BEGIN (.*?)\r?\n([^]*?)^END \1\r?$/gm)) {
    results.set(name, Uint8Array.from(atob(body), (char) => char.charCodeAt(0)));
  }
  return results;
}

function qemuArguments(options: GuestOptions, resultsFile: string): string[] {
  const { accelerator, machine = PC, memoryMib = 4096, kernelWords = [] } = options;
  const console = `console=${machine.console}`;
  return [
    ...machine.words,
    ...accelerator.qemuWords,
    ...["-smp", "2", "-m", `${memoryMib}`],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...machine.hasResultsLine ? ["-serial", `file:${resultsFile}`] : [],
    ...["-kernel", options.kernel, "-initrd", options.initialRoot],
    ...[
      "-append",
      [console, ...KERNEL_WORDS, ...accelerator.kernelWords, ...kernelWords].join(" "),
    ],
  ];
}

/** Runs a guest until it powers off, or its time is over. */
export async function runGuest(options: GuestOptions): Promise<GuestRun> {
  const { machine = PC } = options;
  const resultsFile = await Deno.makeTempFile({ prefix: "isolate-guest-" });
  const start = performance.now();
  try {
    const child = new Deno.Command("setpriv", {
      // The guest ends with this process. Everything else on this machine goes first, but not so far
      // that the guest misses ticks: its clock is this machine's.
      args: [
        ...["--pdeathsig=KILL", "nice", "-n", "5"],
        ...[machine.qemu, ...qemuArguments(options, resultsFile)],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, options.timeLimitMs);
    let [console, line] = ["", ""];
    const complaint = new Response(child.stderr).text();
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      console += text;
      const lines = (line + text).split(/\r?\n/);
      line = lines.pop() ?? "";
      if (options.onLine) lines.forEach(options.onLine);
    }
    const status = await child.status;
    clearTimeout(timer);
    return {
      results: parseResults(
        machine.hasResultsLine ? await Deno.readTextFile(resultsFile) : console,
      ),
      console,
      wallTimeMs: performance.now() - start,
      timedOut,
      ...timedOut
        ? { problem: `the guest did not end within ${options.timeLimitMs / 1000} s` }
        : status.success
        ? {}
        : { problem: `qemu: ${(await complaint).trim() || `status ${status.code}`}` },
    };
  } finally {
    await Deno.remove(resultsFile);
  }
}
