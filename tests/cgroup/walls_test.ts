/** A program cannot leave its control group, change it, or see those of others. */

import { assert, assertEquals } from "@std/assert";
import { groupsIn, groupTest, isReady, membersOf, place } from "../support/control_group.ts";
import type { TestBox } from "../support/isolate.ts";

const LIMIT = ["-p20", "-w30", "--cg-mem=40960"];

/** Whatever a script has tried, the group's limits still hold. */
async function tries(box: TestBox, options: string[], script: string): Promise<string> {
  const command = ["/bin/bash", "-c", `${script}\nexec 2>&1; ./greedy child 81920`];
  const { stdout, meta, stderr } = await box.run([...LIMIT, ...options], command);
  assert(stdout.endsWith("child signal 9\n"), stdout + stderr);
  assertEquals(meta["cg-oom-killed"], "1");
  return stdout.replace(/child signal 9\n$/, "");
}

groupTest(560, "a program does not see the files of control groups", async (box) => {
  assertEquals(await tries(box, [], "ls /sys/fs/cgroup 2>/dev/null; ls -d /sys 2>/dev/null"), "");
  // A new sysfs shows where they could be mounted, but they are not.
  assertEquals(await tries(box, ["-dsys=sysfs:fs"], "ls -A /sys/fs/cgroup"), "");
});

groupTest(
  561,
  "a program that is shown the control groups cannot leave its own or change it",
  async (box) => {
    const [group] = groupsIn(place().directories.memory!, 561);
    const parent = place().directories.memory!;
    const script = `
    got() { echo "got through: $1"; }
    test -r ${group}/cgroup.procs || echo "sees nothing"
    for procs in ${group}/cgroup.procs ${parent}/cgroup.procs ${parent}/../cgroup.procs /sys/fs/cgroup/cgroup.procs; do
      for pid in 0 $$; do echo $pid > $procs && got $procs; done
    done
    echo $$ > ${group}/tasks && got tasks
    echo max > ${group}/memory.max && got memory.max
    echo -1 > ${group}/memory.limit_in_bytes && got limit
    echo -1 > ${group}/memory.memsw.limit_in_bytes && got limit
    echo max > ${group}/pids.max && got pids.max
    echo 1 > ${group}/cgroup.kill && got kill
    echo 1 > ${group}/memory.oom_control && got oom_control
    echo 0 > ${group}/memory.force_empty && got force_empty
    mkdir ${group}/mine && got mkdir
    mkdir ${parent}/mine && got mkdir
    rmdir ${group} && got rmdir
    mv ${group} ${parent}/other && got rename
    chmod 777 ${group} && got chmod
    true`;
    const ways = [["-dsys"], ["-dsys:rw"], ["-dsys:rw:dev"], ["-dsys:rw", "--root-inside"]];
    for (const options of ways) {
      const got = await tries(box, options, `( ${script} ) 2>/dev/null`);
      assertEquals(got, "", options.join(" "));
    }
  },
);

groupTest(
  562,
  "a program cannot mount control groups, not even in namespaces of its own",
  async (box) => {
    // If users may make user namespaces the mount may succeed; what is in it is still root's.
    const script = `
    mkdir -p /tmp/groups
    for type in cgroup2 cgroup; do
      unshare --user --map-root-user --mount --cgroup /bin/bash -c "
        mount -t $type none /tmp/groups || exit
        for file in /tmp/groups/cgroup.procs /tmp/groups/isolate/cgroup.procs; do
          echo 0 > \\$file && echo got through
        done
        mkdir /tmp/groups/mine && echo got through"
    done 2>/dev/null`;
    for (const options of [[], ["--root-inside"]]) {
      assertEquals(await tries(box, options, script), "", options.join());
    }
  },
);

groupTest(563, "a program that runs away into the background stays in the group", async (box) => {
  const script =
    "(setsid setsid /bin/sleep 1000 &) ; (setsid ./greedy together 8192 2 &); sleep 0.2";
  await tries(box, [], script);
  assertEquals(await membersOf(563), []);
});

groupTest(564, "no descriptor of a group reaches the program", async (box) => {
  for (const options of [[], ["--inherit-fds"]]) {
    const { stdout } = await box.run([...LIMIT, ...options], ["/bin/ls", "-l", "/proc/self/fd"]);
    assert(stdout.includes("0 ->"), stdout);
    assert(!/cgroup|box-564/.test(stdout), stdout);
  }
});

groupTest(565, "only the program is in the group", async (box) => {
  await using running = box.start([...LIMIT], ["greedy", "wait", "1500"]);
  await isReady(box);
  const members = await membersOf(565);
  const names = await Promise.all(members.map((pid) => Deno.readTextFile(`/proc/${pid}/comm`)));
  assertEquals(names, ["greedy\n"]);
  assertEquals((await running.result).code, 0);
});
