/** Commands of an ordinary user, who has to become root of a user namespace first, against root's. */

import { OrdinaryUser } from "isolate/tests/support/ordinary_user.ts";
import { directCommand, output } from "../tools/process.ts";
import { BOX_IDS, mediansInTurns, type Row, timeMs } from "./measure.ts";

const ROUNDS = 20;
/** Where the words that start a command as a user say who that is. */
const USER_AT = -2;

/** Measures the cost of boxes without root. */
export async function measureRootless(): Promise<Row[]> {
  using many = new OrdinaryUser("subordinate");
  using one = new OrdinaryUser("one");
  const command = ({ through, env }: OrdinaryUser, uid: number, ...args: string[]) => {
    // Root goes the same way to its command.
    const words = through.with(USER_AT, `${uid}`);
    const direct = directCommand(`--box-id=${BOX_IDS[0]}`, "--silent", ...args);
    return output([...words, ...direct], { env });
  };
  const users = { root: [many, 0], many: [many, many.uid], one: [one, one.uid] } as const;
  for (const [user, uid] of Object.values(users)) await command(user, uid, "--init");
  try {
    const run = (name: keyof typeof users) => () => {
      const [user, uid] = users[name];
      return timeMs(() => command(user, uid, "--run", "--", "/bin/true"));
    };
    const ms = await mediansInTurns(ROUNDS, {
      root: run("root"),
      many: run("many"),
      one: run("one"),
    });
    const rows = { "with subordinate ids": ms.many, "with one id": ms.one };
    return Object.entries(rows).map(([how, here]): Row => ({
      what: `an ordinary user's direct.ts --run -- /bin/true, ${how}`,
      against: "root's",
      unit: "ms",
      reference: ms.root,
      here,
    }));
  } finally {
    for (const [user, uid] of Object.values(users)) await command(user, uid, "--cleanup");
  }
}
