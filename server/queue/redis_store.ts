/** Results, large files and messages in Redis. Keys go away by themselves. */

import type { Redis } from "ioredis";
import type { Bytes } from "../engine/types.ts";
import type { KnownOfJob, OutcomeToPut, QueueStore } from "./queue_store.ts";

/** Keeps a key at least for so long; 1: it is there. */
const KEEP = `
  local leftMs = redis.call("PTTL", KEYS[1])
  if leftMs < 0 then return 0 end
  if leftMs < tonumber(ARGV[1]) then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
  return 1`;

/** Sets a key that is not there, and only then sends a message; 1: it was not there. */
const PUT = `
  if not redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2], "NX") then return 0 end
  redis.call("PUBLISH", KEYS[2], ARGV[3])
  return 1`;

/** Two connections: one that listens can do nothing else. */
export interface RedisStoreOptions {
  readonly commands: Redis;
  readonly listener: Redis;
  /** What keys and channels begin with. */
  readonly prefix: string;
}

/** The store of a queue on Redis. */
export class RedisStore implements QueueStore {
  readonly #commands: Redis;
  readonly #listener: Redis;
  readonly #prefix: string;
  readonly #subscribers = new Map<string, (message: string) => void>();

  constructor({ commands, listener, prefix }: RedisStoreOptions) {
    this.#commands = commands;
    this.#listener = listener;
    this.#prefix = prefix;
    listener.on("message", (channel, message) => this.#subscribers.get(channel)?.(message));
    // Seen once: a connection that was lost as soon as it was made came back without its channels.
    listener.on("ready", () => {
      for (const name of this.#subscribers.keys()) listener.subscribe(name).catch(() => {});
    });
  }

  async outcomes(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    if (ids.length === 0) return [];
    const found = await this.#commands.mget(ids.map((id) => this.#key("outcome", id)));
    return found.map((outcome) => outcome ?? undefined);
  }

  async putOutcome(
    id: string,
    { text, keptMs, channel, message }: OutcomeToPut,
  ): Promise<boolean> {
    const keys = [this.#key("outcome", id), this.#key("channel", channel)];
    return await this.#commands.eval(PUT, keys.length, ...keys, text, keptMs, message) === 1;
  }

  async known(id: string): Promise<KnownOfJob> {
    const keys = [this.#key("outcome", id), this.#key("cancelled", id)];
    const [outcome, cancelled] = await this.#commands.mget(keys);
    return { outcome: outcome ?? undefined, isCancelled: typeof cancelled === "string" };
  }

  async putCancelled(id: string, keptMs: number): Promise<void> {
    await this.#commands.set(this.#key("cancelled", id), "1", "PX", keptMs);
  }

  async missingFiles(hashes: readonly string[], keptMs: number): Promise<readonly string[]> {
    const found = await Promise.all(
      hashes.map((hash) => this.#commands.eval(KEEP, 1, this.#key("file", hash), keptMs)),
    );
    return hashes.filter((_, index) => found[index] !== 1);
  }

  async putFile(hash: string, content: Bytes, keptMs: number): Promise<void> {
    const { buffer, byteOffset, byteLength } = content;
    const bytes = (await import("node:buffer")).Buffer.from(buffer, byteOffset, byteLength);
    await this.#commands.set(this.#key("file", hash), bytes, "PX", keptMs, "NX");
  }

  async file(hash: string): Promise<Bytes | undefined> {
    const found = await this.#commands.getBuffer(this.#key("file", hash));
    return found ? Uint8Array.from(found) : undefined;
  }

  async putWorker(id: string, info: string, keptMs: number): Promise<void> {
    const key = this.#key("worker", id);
    await this.#commands.pipeline()
      .set(key, info, "PX", keptMs)
      .sadd(this.#key("workers"), key)
      .exec();
  }

  async removeWorker(id: string): Promise<void> {
    const key = this.#key("worker", id);
    await this.#commands.pipeline().del(key).srem(this.#key("workers"), key).exec();
  }

  async workers(): Promise<readonly string[]> {
    const keys = await this.#commands.smembers(this.#key("workers"));
    if (keys.length === 0) return [];
    const infos = await this.#commands.mget(keys);
    const gone = keys.filter((_, index) => infos[index] === null);
    if (gone.length > 0) await this.#commands.srem(this.#key("workers"), ...gone);
    return infos.filter((info) => info !== null);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#commands.publish(this.#key("channel", channel), message);
  }

  async subscribe(channel: string, onMessage: (message: string) => void): Promise<void> {
    const name = this.#key("channel", channel);
    this.#subscribers.set(name, onMessage);
    await this.#listener.subscribe(name);
  }

  #key(...parts: string[]): string {
    return [this.#prefix, ...parts].join(":");
  }
}
