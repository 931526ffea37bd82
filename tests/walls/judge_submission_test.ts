/** Submissions that attack the judge. */

import { assertEquals, assertMatch } from "@std/assert";
import { needsControlGroup } from "../support/control_group.ts";
import { needsJudge, resultOf, SUM, verdicts, withPackage } from "../support/judging.ts";
import { testWith } from "../support/skip.ts";

const BOXES = { first: 925, count: 4 };

/** Leaves a mark wherever it can, and looks for those of earlier tests. */
const MARKS = `
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
SHMGET, MQ_OPEN, ADD_KEY = {"x86_64": (29, 240, 248), "aarch64": (194, 180, 217)}[os.uname().machine]
places = marks = 0
for folder, folders, files in os.walk("/"):
    if folder.startswith(("/proc", "/usr", "/lib")):
        folders[:] = []
        continue
    marks += "mark" in files + folders
    for make in (lambda name: os.close(os.open(name, os.O_CREAT | os.O_EXCL)), os.mkfifo):
        try:
            make(folder + "/mark")
            places += 1
        except OSError:
            pass
assert places >= 3, places
assert marks == 0, f"{marks} marks in the files"
assert libc.syscall(SHMGET, 4242, 4096, 0o3600) >= 0, "shared memory is left"
assert libc.syscall(MQ_OPEN, b"mark", 0o302, 0o600, 0) >= 0, "a message queue is left"
assert libc.syscall(ADD_KEY, b"user", b"mark", b"x", 1, -4) < 0, "a key can be left"
socket.socket(socket.AF_UNIX).bind("\\0mark")
print(sum(map(int, input().split())))
`;

testWith(needsJudge, "a submission finds nothing that it has left in an earlier test", async () => {
  const files = { ...SUM, "submissions/accepted/a.py": MARKS, "submissions/accepted/b.py": MARKS };
  await withPackage(files, async (judge) => {
    const report = await judge.judge({ jobs: 1, boxIds: BOXES });
    for (const name of ["a", "b"]) {
      const { verdict, tests } = resultOf(report, `accepted/${name}.py`);
      assertEquals(verdict, "AC", tests.map(({ stderr }) => stderr).join("\n"));
      assertEquals(tests.length, 2);
    }
  });
});

/** Looks for what belongs to the judge, by all names that it gets and by walking around. */
const SPY = (folder: string) => `
import os, sys
seen = []
for root, folders, files in os.walk("/"):
    if root.startswith(("/proc", "/sys", "/usr", "/lib")):
        folders[:] = []
        continue
    seen += [root + "/" + name for name in files if name.endswith((".in", ".ans"))]
for process in filter(str.isdigit, os.listdir("/proc")):
    for fd in os.listdir(f"/proc/{process}/fd") if process == str(os.getpid()) else []:
        try: seen.append(os.readlink(f"/proc/{process}/fd/{fd}"))
        except OSError: pass
told = [text for text in seen if "secret" in text or "${folder}" in text or ".ans" in text]
for path in ("${folder}/data/secret/1.ans", "/proc/1/root${folder}/data/secret/1.ans",
             "/proc/self/fd/0/../1.ans", "/proc/1/cwd", "/var/local/lib/isolate"):
    try:
        os.stat(path)
        told.append(path)
    except OSError: pass
assert told == [], told
for path in ("/program/a.py", "/program/new", "/box/../program/a.py"):
    try:
        open(path, "a")
        sys.exit(path)
    except OSError: pass
print(sum(map(int, input().split())))
`;

testWith(needsJudge, "a submission finds neither answers nor the place of its input", async () => {
  await withPackage(SUM, async (judge) => {
    await Deno.mkdir(`${judge.folder}/submissions/accepted`, { recursive: true });
    await Deno.writeTextFile(`${judge.folder}/submissions/accepted/a.py`, SPY(judge.folder));
    const report = await judge.judge({ jobs: 1, boxIds: BOXES });
    const { verdict, tests } = resultOf(report, "accepted/a.py");
    assertEquals(verdict, "AC", tests.map(({ stderr }) => stderr).join("\n"));
  });
});

testWith(
  [...needsJudge, needsControlGroup.any()],
  "a submission that writes many large files runs out of memory, not the judge out of disk",
  async () => {
    const fill = (folder: string) => `
for i in range(8):
    with open(f"${folder}/{i}", "wb") as file:
        for _ in range(64): file.write(bytes(1 << 20))
print(sum(map(int, input().split())))
`;
    const files = {
      ...SUM,
      "submissions/accepted/box.py": fill("/box"),
      "submissions/accepted/tmp.py": fill("/tmp"),
      "submissions/accepted/shm.py": fill("/dev/shm"),
    };
    await withPackage(files, async (judge) => {
      const seen = verdicts(await judge.judge({ jobs: 1, boxIds: BOXES }));
      for (const name of ["box", "tmp", "shm"]) assertMatch(seen[`accepted/${name}.py`]!, /^MLE: /);
    });
  },
);
