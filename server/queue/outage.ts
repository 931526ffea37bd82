/** Says once that a queue cannot be reached, and once that it can be again. */

import { type BackendOptions, reasonOf } from "./backend.ts";
import { isConnectionError } from "./connection_error.ts";

/** The state of a connection that is made again by itself. */
export class Outage {
  readonly #options: Pick<BackendOptions, "address" | "log" | "onReconnect">;
  /** Until then, whoever connects tells what fails. */
  #wasConnected = false;
  /** The last error since there was a connection. */
  error: unknown;

  constructor(options: Pick<BackendOptions, "address" | "log" | "onReconnect">) {
    this.#options = options;
  }

  /** Something failed: the connection, or only what was tried. */
  fails(error: unknown, { isConnected }: { isConnected: boolean }): void {
    if (isConnected && !isConnectionError(error)) {
      this.#options.log(`The queue ${this.#options.address.shown}: ${reasonOf(error)}`);
    } else {
      this.begins(error);
    }
  }

  /** The connection is lost. */
  begins(error: unknown): void {
    if (this.error === undefined && this.#wasConnected) {
      this.#options.log(
        `The queue ${this.#options.address.shown} cannot be reached: ${reasonOf(error)}`,
      );
    }
    this.error = error;
  }

  /** There is a connection again. */
  ends(): void {
    const isNews = this.error !== undefined && this.#wasConnected;
    this.error = undefined;
    this.#wasConnected = true;
    if (!isNews) return;
    this.#options.log(`The queue ${this.#options.address.shown} can be reached again`);
    this.#options.onReconnect?.();
  }
}
