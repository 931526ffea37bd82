/** A browser without a window, driven by the protocol of its developer tools. */

/** What a page looks like. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  // deno-lint-ignore no-explicit-any
  readonly params?: any;
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly message: string };
}

/** A page in a browser of its own. */
export class Chromium implements AsyncDisposable {
  /** What the page has complained of: errors, and what its policy forbids. */
  readonly complaints: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (message: Message) => void>();
  #session: string | undefined;
  #count = 0;

  private constructor(process: Deno.ChildProcess, { folder, socket }: {
    folder: string;
    socket: WebSocket;
  }) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
  }

  /** Starts a browser with an empty page. */
  static async start(): Promise<Chromium> {
    const folder = await Deno.makeTempDir({ prefix: "isolate-chromium-" });
    const process = new Deno.Command("chromium", {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--remote-debugging-port=0", "--no-first-run", `--user-data-dir=${folder}`],
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const address = await addressIn(process.stderr);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Chromium(process, { folder, socket });
    const { targetInfos } = await browser.#send("Target.getTargets");
    const { targetId } = targetInfos.find(({ type }: { type: string }) => type === "page");
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = sessionId;
    for (const part of ["Page", "Runtime", "Log"]) await browser.#send(`${part}.enable`);
    return browser;
  }

  /** Goes to an address, and waits until it is there. */
  async open(url: string, { width, height, scheme }: Look): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#send("Emulation.setEmulatedMedia", { features });
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#send("Emulation.setDeviceMetricsOverride", size);
    await this.#send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  /** The value of an expression in the page. */
  // deno-lint-ignore no-explicit-any
  async value(expression: string): Promise<any> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    for (let tries = 0; !await this.value(expression); tries++) {
      if (tries > 300) throw new Error(`never true: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Makes a picture. */
  async screenshot(): Promise<Uint8Array<ArrayBuffer>> {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png" });
    return Uint8Array.fromBase64(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.#send("Browser.close").catch(() => {});
    await Promise.all([closed, this.#process.status]);
    await Deno.remove(this.#folder, { recursive: true });
  }

  // deno-lint-ignore no-explicit-any
  #send(method: string, params: object = {}): Promise<any> {
    const id = ++this.#count;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
  }

  #receive(message: Message): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.method === "Runtime.exceptionThrown") {
      this.complaints.push(message.params.exceptionDetails.exception?.description ?? "an error");
    } else if (message.method === "Log.entryAdded") {
      const { level, text } = message.params.entry;
      if (level === "error" || level === "warning") this.complaints.push(text);
    }
  }
}

/** Finds where the browser listens, and goes on to read what it prints. */
async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  (async () => {
    let text = "";
    for await (const piece of stderr.pipeThrough(new TextDecoderStream())) {
      text = (text + piece).slice(-10_000);
      const [, address] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
      if (address !== undefined) resolve(address);
    }
    reject(new Error(`Chromium ended: ${text}`));
  })();
  return await promise;
}
