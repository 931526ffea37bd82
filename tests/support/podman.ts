/**
 * Containers for tests, by podman with crun: of root, who keeps no CAP_SYS_ADMIN there, and of an ordinary
 * user. The image is made of a Debian root, without any registry; this project is mounted read-only.
 */

import { type CommandResult, start } from "./isolate.ts";
import { OrdinaryUser } from "./ordinary_user.ts";
import { type Missing, needs } from "./skip.ts";

/** This project, which is there inside too. */
export const PROJECT: string = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
/** The Deno that runs the tests, which is there inside too. */
export const DENO: string = Deno.realPathSync(Deno.execPath());
const IMAGE = "localhost/isolate-test";
/** The Debian root: a folder that debootstrap has filled. `./dev container-test` makes it. */
const ROOT = Deno.env.get("ISOLATE_TEST_ROOT") ?? "";

/** What boxes in a container are allowed to do. */
export const OUR_PROFILE: readonly string[] = [
  `--security-opt=seccomp=${PROJECT}/containers/seccomp.json`,
  "--security-opt=unmask=ALL",
];

/** What a test with containers needs. */
export const needsPodman: readonly Missing[] = [
  needs.root(),
  needs.command("podman"),
  needs.command("crun"),
  needs.command("newuidmap"),
  needs.that(ROOT !== "", "needs a Debian root (./dev container-test)"),
];

/** Hides control groups of version 1 beside those of version 2, with which crun does not work. */
const ENTER = 'umount -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"';

/** Runs containers, all with one image. */
export class Podman implements AsyncDisposable {
  readonly #folder: string;
  readonly #user: OrdinaryUser | undefined;
  readonly #podman: readonly string[];

  private constructor({ isRootless }: { isRootless: boolean }) {
    this.#folder = Deno.makeTempDirSync({ prefix: "isolate-podman-" });
    Deno.chmodSync(this.#folder, 0o755);
    this.#user = isRootless ? new OrdinaryUser("subordinate") : undefined;
    const own = this.#user?.uid ?? 0;
    for (const name of ["storage", "run"]) {
      Deno.mkdirSync(`${this.#folder}/${name}`);
      Deno.chownSync(`${this.#folder}/${name}`, own, own);
    }
    this.#podman = [
      ...["podman", "--runtime=crun", "--cgroup-manager=cgroupfs", "--events-backend=none"],
      ...[`--root=${this.#folder}/storage`, `--runroot=${this.#folder}/run`],
    ];
  }

  /** Makes the image. */
  static async open(options: { isRootless: boolean }): Promise<Podman> {
    const podman = new Podman(options);
    try {
      const pack = `tar -C '${ROOT}' --exclude=./proc --exclude=./sys --exclude=./dev -c .`;
      const words = [...podman.#podman, "import", "-", IMAGE].join(" ");
      const through = podman.#through();
      const { code, stderr } = await podman.#start([
        ...["/bin/sh", "-c", `${pack} | "$@"`, "sh"],
        ...[...through, "/bin/sh", "-c", `exec ${words}`],
      ]);
      if (code !== 0) throw new Error(`podman import: ${stderr}`);
      return podman;
    } catch (error) {
      await podman[Symbol.asyncDispose]();
      throw error;
    }
  }

  #through(): string[] {
    return [...["unshare", "--mount", "/bin/sh", "-c", ENTER, "sh"], ...this.#user?.through ?? []];
  }

  #start(command: readonly string[]): Promise<CommandResult> {
    const env = { ...this.#user?.env, XDG_RUNTIME_DIR: `${this.#folder}/run` };
    return start(command, { env, cwd: "/" }).result;
  }

  /** Runs a shell script in a container of its own, in which `isolate` is the command. */
  run(script: string, options: readonly string[] = []): Promise<CommandResult> {
    const isolate =
      `isolate() { ${DENO} run --quiet --no-prompt --allow-ffi ${PROJECT}/direct.ts "$@"; }`;
    const limit = Math.min(openFiles(), 1 << 20);
    return this.#start([
      ...[
        ...this.#through(),
        ...this.#podman,
        "run",
        "--rm",
        "--network=none",
        "--cgroups=disabled",
      ],
      ...[`--ulimit=nofile=${limit}:${limit}`, "--ulimit=nproc=8000:8000"],
      ...[`--volume=${PROJECT}:${PROJECT}:ro`, `--volume=${DENO}:${DENO}:ro`],
      ...["--env=ISOLATE_SERVICE=off", ...options, IMAGE],
      ...["/bin/sh", "-c", `${isolate}\n${script}`],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What holds the user namespace of all containers of a user stays otherwise.
    if (this.#user) await start(["pkill", "-KILL", "-U", `${this.#user.uid}`]).result;
    // Files in it belong to subordinate ids, and a layer may be mounted in a namespace that is gone.
    await start(["rm", "-rf", "--one-file-system", this.#folder]).result;
    this.#user?.[Symbol.dispose]();
  }
}

/** This machine's own limit, which a container cannot exceed without rights. */
function openFiles(): number {
  const line = /^Max open files\s+\S+\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
  return Number(line?.[1] ?? 1024);
}
