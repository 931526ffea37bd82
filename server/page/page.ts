/** A page to try the server with: one file, which loads nothing from anywhere. */

import type { Dialect } from "../http/route.ts";
import { MARKUP } from "./markup.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>isolate: run a program</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>${MARKUP}<script>${SCRIPT}</script>
</body>
</html>
`;

/** Answers with the page; what it asks for then needs the token. */
export const page: Dialect = () => {
  let policy: Promise<string> | undefined;
  return [{
    method: "GET",
    path: "/",
    isOpen: true,
    handle: async () =>
      new Response(PAGE, {
        headers: {
          "Content-Type": "text/html; charset=utf-8",
          "Content-Security-Policy": await (policy ??= makePolicy()),
          "Referrer-Policy": "no-referrer",
        },
      }),
  }];
};

/** Nothing but what is in the page may run, and it may ask only this server. */
async function makePolicy(): Promise<string> {
  const [style, script] = await Promise.all([STYLE, SCRIPT].map(hashOf));
  return [
    "default-src 'none'",
    `style-src '${style}'`,
    `script-src '${script}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}
