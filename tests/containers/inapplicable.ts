/**
 * Which tests do not apply in a container, and why. Loaded before the test files there
 * (`deno test --preload`), it skips those.
 */

/** Names of tests that need what a container does not have. */
interface Inapplicable {
  readonly names: RegExp;
  readonly reason: string;
}

const NEEDS_MOUNT = "needs mounts, and CAP_SYS_ADMIN for them";
const NEEDS_MKNOD = "needs CAP_MKNOD to make devices";

const INAPPLICABLE: readonly Inapplicable[] = [
  { names: /^the default rules and their restrictions$/, reason: "here /dev is made of devices" },
  { names: /^devices work only with dev$/, reason: NEEDS_MKNOD },
  { names: /^special files are removed before a run, even the caller's own$/, reason: NEEDS_MKNOD },
  { names: /norec leaves them out$/, reason: NEEDS_MOUNT },
  { names: /^mounts that the host makes during a run do not reach/, reason: NEEDS_MOUNT },
  { names: /^(restricted_init lets only root|--quota that cannot be set)/, reason: NEEDS_MOUNT },
  { names: /namespaces are the box's own, user and time are not$/, reason: "here user is, too" },
];

/** Registers a test, or skips it with the reason in its name. */
function register(test: typeof Deno.test, self: unknown, args: unknown[]): unknown {
  const [first] = args as [string | { name?: string }];
  const name = typeof first === "string" ? first : first.name ?? "";
  const found = INAPPLICABLE.find(({ names }) => names.test(name));
  if (!found) return Reflect.apply(test, self, args);
  return test({ name: `${name} [skipped: ${found.reason}]`, ignore: true, fn: () => {} });
}

Reflect.set(Deno, "test", new Proxy(Deno.test, { apply: register }));
