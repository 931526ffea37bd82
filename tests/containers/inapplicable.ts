/**
 * Which tests do not apply in a container, and why. Loaded before the test files there
 * (`deno test --preload`), it skips those.
 */

import { Sandbox } from "isolate/mod.ts";

/** Names of tests that need what a container does not have. */
interface Inapplicable {
  readonly names: RegExp;
  readonly reason: string;
}

const NEEDS_MOUNT = "needs mounts, and CAP_SYS_ADMIN for them";
const NEEDS_MKNOD = "needs CAP_MKNOD to make devices";
const OTHER_RIGHTS = "here rights are those of a user namespace, see tests/containers";
const OWN_USERS = "here only the caller can be the user of a box outside of it";
const NO_EXEC = "here /dev/shm is noexec";
const NO_HANDLES = "here the container's own filter gives no handles of files";
const NO_KEYS = "here the container's own filter lets nobody use keyrings";
const NO_VMSPLICE = "here the container's own filter refuses vmsplice(2)";
const NO_SETUID = "here setuid files mean nothing to anybody";
const HAS_FILTER = "here the container itself has a filter";

const INAPPLICABLE: readonly Inapplicable[] = [
  // tests/cli
  { names: /--box-size (?!at --run|is memory)/, reason: NEEDS_MOUNT },
  { names: /with --box-size/, reason: NEEDS_MOUNT },
  { names: /^--init removes what killed keepers have left mounted/, reason: NEEDS_MOUNT },
  {
    names: /^--cleanup unmounts a box that is somebody|file system of another one/,
    reason: NEEDS_MOUNT,
  },
  { names: /^--run refuses a box (whose file|on which somebody)/, reason: NEEDS_MOUNT },
  { names: /\ba plain chroot\b|outside a chroot$/, reason: NEEDS_MOUNT },
  { names: /where boxes are, who their users are/, reason: "needs ids that this container lacks" },
  { names: /^box ids may be as large as the/, reason: "needs ids that this container lacks" },
  { names: /^the default rules and their restrictions$/, reason: "here /dev is made of devices" },
  { names: /^devices work only with dev$/, reason: NEEDS_MKNOD },
  { names: /^special files are removed before a run, even the caller's own$/, reason: NEEDS_MKNOD },
  { names: /norec leaves them out$/, reason: NEEDS_MOUNT },
  { names: /^mounts that the host makes during a run do not reach/, reason: NEEDS_MOUNT },
  { names: /^(restricted_init lets only root|--quota that cannot be set)/, reason: NEEDS_MOUNT },
  { names: /namespaces are the box's own, user and time are not$/, reason: "here user is, too" },
  { names: /^isolate.ts says why it cannot go on$/, reason: NEEDS_MOUNT },
  { names: /^without root rights and user namespaces every command/, reason: NEEDS_MOUNT },
  { names: /makes impossible names the missing capability$/, reason: OTHER_RIGHTS },
  { names: /^without CAP_\w+ a run works or says so/, reason: OTHER_RIGHTS },
  { names: /^isolate check tries a box, and says what is missing$/, reason: OTHER_RIGHTS },
  { names: /^x32 numbers kill under any flags|^--syscalls=0 installs no/, reason: HAS_FILTER },
  { names: /^the configured syscall_flags hold unless/, reason: HAS_FILTER },
  // tests/walls
  { names: /^a program cannot open a file of the host by its handle/, reason: NO_HANDLES },
  { names: /bound read-only, whatever its modes are$/, reason: NEEDS_MOUNT },
  { names: /^a process (of the host with .* id|that became the box)/, reason: OWN_USERS },
  { names: /^what root has put into a namespace of processes/, reason: NEEDS_MOUNT },
  { names: /^programs that make random system calls/, reason: NEEDS_MOUNT },
  { names: /^a box with 100,000 files|^a directory with very many/, reason: NO_EXEC },
  { names: /where the host would honour them/, reason: NO_SETUID },
  { names: /^a program that gives pages away/, reason: NO_VMSPLICE },
  { names: /^without the filter, keys that|key of its caller's session/, reason: NO_KEYS },
];

/** Registers a test, or skips it with the reason in its name. */
function register(test: typeof Deno.test, self: unknown, args: unknown[]): unknown {
  const [first] = args as [string | { name?: string }];
  const name = typeof first === "string" ? first : first.name ?? "";
  const found = INAPPLICABLE.find(({ names }) => names.test(name));
  if (!found) return Reflect.apply(test, self, args);
  return test({ name: `${name} [skipped: ${found.reason}]`, ignore: true, fn: () => {} });
}

// With the library it is the process of the tests that must be root of a user namespace.
if (Deno.env.has("ISOLATE_TEST_ENTER")) await Sandbox.open({ userNamespace: true });
Reflect.set(Deno, "test", new Proxy(Deno.test, { apply: register }));
