/**
 * An ordinary user of this machine, for as long as tests run: it is in a passwd file that only its own
 * commands see, in a mount namespace of theirs, with subordinate ids or without. Files of the machine
 * stay as they are.
 */

import { ROOT } from "../../tools/process.ts";
import { type Missing, needs } from "./skip.ts";

/** Which ids a user has: subordinate ones besides its own, or that one only. */
export type UserIds = "subordinate" | "one";

/** Nobody on the machine has these. */
const UIDS = { subordinate: 7410, one: 7411 } as const;

/** The first subordinate id outside, and how many there are: more than there are boxes. */
export const SUBORDINATE = { first: 741_000_000, count: 65536 } as const;

/** Files of the machine in whose place the user's commands see others. */
const FILES = ["passwd", "group", "subuid", "subgid"] as const;

/** A checkout may lie in a folder that is closed to others, such as /root: it is shown on its own there. */
const ENTER = `set -e
etc=$1 user=$2 checkout=$3; shift 3
may() { setpriv --reuid="$user" --regid="$user" --clear-groups test "$@"; }
if ! may -r "$checkout/isolate.ts"; then
  closed= rest=$checkout/
  while rest=\${rest#*/} closed=$closed/\${rest%%/*}; [ "$closed" != "$checkout" ] && may -x "$closed"; do :; done
  mkdir -p "$etc/checkout"
  mount --rbind "$checkout" "$etc/checkout"
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  mkdir -p "$checkout"
  mount --move "$etc/checkout" "$checkout"
fi
for name in ${FILES.join(" ")}; do
  if [ -e /etc/$name ]; then mount --bind "$etc/$name" /etc/$name; fi
done
exec setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all "$@"`;

/** Starts a command where the kernel makes no user namespaces: in a chroot, which shows the same files. */
export const WITHOUT_USER_NAMESPACES: readonly string[] = [
  ...["unshare", "--mount", "/bin/sh", "-c"],
  ...['mount --rbind / /mnt && exec /usr/sbin/chroot /mnt "$@"', "sh"],
];

/** What a test with such a user needs. */
export function needsUser(ids: UserIds): Missing[] {
  return [
    needs.root(),
    needs.command("setpriv"),
    needs.command("unshare"),
    needs.that(maxUserNamespaces() > 0, "needs user namespaces (user.max_user_namespaces)"),
    ...ids === "one"
      ? []
      : [needs.command("newuidmap"), needs.path("/etc/subuid", "a file to put another one over")],
  ];
}

function maxUserNamespaces(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/user/max_user_namespaces"));
  } catch {
    return 0;
  }
}

/** An ordinary user. */
export class OrdinaryUser implements Disposable {
  readonly uid: number;
  readonly home: string;
  /** What starts a command as this user, before the command's own words. */
  readonly through: readonly string[];
  /** The environment that such a command needs besides. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;

  constructor(ids: UserIds) {
    this.uid = UIDS[ids];
    this.#folder = Deno.makeTempDirSync({ prefix: "isolate-user-" });
    Deno.chmodSync(this.#folder, 0o755);
    this.home = `${this.#folder}/home`;
    Deno.mkdirSync(this.home);
    Deno.chownSync(this.home, this.uid, this.uid);
    const etc = `${this.#folder}/etc`;
    Deno.mkdirSync(etc);
    const range = ids === "one" ? "" : `tester:${SUBORDINATE.first}:${SUBORDINATE.count}\n`;
    const added = {
      passwd: `${read("/etc/passwd")}tester:x:${this.uid}:${this.uid}::${this.home}:/bin/sh\n`,
      group: `${read("/etc/group")}tester:x:${this.uid}:\n`,
      subuid: range,
      subgid: range,
    };
    for (const name of FILES) Deno.writeTextFileSync(`${etc}/${name}`, added[name]);
    const words = [etc, `${this.uid}`, ROOT];
    this.through = ["unshare", "--mount", "/bin/sh", "-c", ENTER, "sh", ...words];
    this.env = { HOME: this.home, XDG_STATE_HOME: "", XDG_CONFIG_HOME: "", XDG_RUNTIME_DIR: "" };
  }

  /** Removes all that the user had. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function read(path: string): string {
  const text = Deno.readTextFileSync(path);
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
