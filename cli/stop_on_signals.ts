/** Ends a server when it is asked to. */

import { tell } from "./complain.ts";

const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Ends a server at the first signal that asks for it; a second one is not waited for. */
export function stopOnSignals(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const onSignal = () => {
      count++;
      if (count > 1) Deno.exit(1);
      tell("Stopping");
      stop().then(resolve);
    };
    for (const signal of ENDING_SIGNALS) Deno.addSignalListener(signal, onSignal);
  });
}
