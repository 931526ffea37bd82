/** Reads the address of a queue. */

import { ExpectedError } from "../../text/errors.ts";

/** Where a queue is. */
export interface QueueAddress {
  readonly kind: "redis" | "postgres";
  /** The address for the client of that kind, without our own parts. */
  readonly url: string;
  /** The address for people, without a password. */
  readonly shown: string;
  /** What all our keys, tables and channels begin with. */
  readonly name: string;
}

const KINDS: Readonly<Record<string, QueueAddress["kind"]>> = {
  "redis:": "redis",
  "rediss:": "redis",
  "postgres:": "postgres",
  "postgresql:": "postgres",
};

const FORMS =
  "write redis://HOST:PORT/DATABASE, rediss://… for TLS, or postgres://USER@HOST/DATABASE";
const NAME_PARAMETER = "queue";
const DEFAULT_NAME = "isolate";

/**
 * Reads an address such as `redis://host:6379/0?queue=contest`. Its parameter `queue` tells apart
 * the queues of one database; default: `isolate`.
 *
 * @throws {ExpectedError} if it is none
 */
export function readQueueAddress(text: string): QueueAddress {
  if (!URL.canParse(text)) throw new ExpectedError(`The queue's address is no URL: ${FORMS}`);
  const url = new URL(text);
  const kind = KINDS[url.protocol];
  if (!kind) {
    throw new ExpectedError(`The queue's address cannot begin with ${url.protocol}//: ${FORMS}`);
  }
  const name = url.searchParams.get(NAME_PARAMETER) ?? DEFAULT_NAME;
  // It becomes part of the names of schemas and channels of the database.
  if (!/^[a-z][a-z0-9_]{0,19}$/.test(name)) {
    throw new ExpectedError(
      `The queue's name in its address ('${NAME_PARAMETER}=') must be at most 20 of a-z, 0-9 and _, ` +
        "and begin with a letter",
    );
  }
  url.searchParams.delete(NAME_PARAMETER);
  const shown = new URL(url);
  shown.password = "";
  shown.search = "";
  return { kind, url: url.href, shown: shown.href, name };
}
