/** The secret that clients must know. */

const TOKEN_LENGTH_MIN = 16;

/** Checks tokens without telling by the time it takes how much of one was right. */
export class TokenCheck {
  readonly #digest: Promise<Uint8Array>;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /**
   * Tells whether a request has the token: `Authorization: Bearer …`, or without the word, as clients of
   * Piston send a key; or `X-Auth-Token` as a header or a parameter, as clients of Judge0 send it.
   */
  async allows(request: Request): Promise<boolean> {
    const { headers } = request;
    const bearer = /^(?:Bearer +)?(\S+) *$/i.exec(headers.get("Authorization") ?? "")?.[1];
    return await this.matches(
      bearer ?? headers.get("X-Auth-Token") ??
        new URL(request.url).searchParams.get("X-Auth-Token"),
    );
  }

  /** Tells whether a text is the token; null: there is none. */
  async matches(given: string | null): Promise<boolean> {
    const [right, other] = await Promise.all([this.#digest, digestOf(given ?? "")]);
    let difference = given === null ? 1 : 0;
    for (let i = 0; i < right.length; i++) difference |= right[i]! ^ other[i]!;
    return difference === 0;
  }
}

/** Finds the token in the text of a file: its only line. Gives what is wrong otherwise. */
export function tokenIn(text: string): { token: string } | { complaint: string } {
  const token = text.trim();
  if (token === "") return { complaint: "it is empty" };
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return { complaint: "the token must be one line of visible ASCII characters without blanks" };
  }
  if (token.length < TOKEN_LENGTH_MIN) {
    return { complaint: `the token must have at least ${TOKEN_LENGTH_MIN} characters` };
  }
  return { token };
}

async function digestOf(token: string): Promise<Uint8Array> {
  return new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)),
  );
}
