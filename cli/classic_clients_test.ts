// The command lines that systems in use build today.

import { assertEquals } from "@std/assert";
import { checkClassic, parseClassic } from "./classic_parser.ts";
import type { ClassicRequest } from "./classic_request.ts";

function accepted(line: string): ClassicRequest {
  const request = parseClassic(line.split(" "));
  checkClassic(request, { numBoxes: 65536 });
  return request;
}

Deno.test("parseClassic() reads the lines of CMS", () => {
  const cleanup = accepted("--box-id=12 --cg --cleanup");
  assertEquals([cleanup.command, cleanup.boxId, cleanup.controlGroup], ["cleanup", 12, true]);
  const run = accepted(
    "--cg --box-id=65000 --chdir=/tmp --dir=/tmp=/var/home:rw --dir=/dev/shm:tmp " +
      "--dir=/etc/alternatives=/etc/alternatives --dir=/etc/mono=/etc/mono:noexec --full-env --env=HOME=/tmp " +
      "--fsize=1024 --stdin=/tmp/x --stack=65536 --cg-mem=262144 --stdout=/tmp/stdout.txt --processes=4 " +
      "--stderr=/tmp/stderr.txt --time=1.5 --verbose --verbose --wall-time=10 --extra-time=0.5 " +
      "--meta=/var/run.meta.0 --run -- /bin/prog -x --run",
  );
  assertEquals(run.commandLine, ["/bin/prog", "-x", "--run"]);
  assertEquals(run.directoryRules.length, 4);
  assertEquals([run.limits.cpuTimeMs, run.limits.wallTimeMs, run.limits.extraTimeMs], [
    1500,
    10000,
    500,
  ]);
  assertEquals([run.verbosity, run.metaFiles], [2, ["/var/run.meta.0"]]);
  const chmod = accepted("--box-id=1 --cg --dir=/tmp=/x:rw --run -- /bin/chmod 777 -R /tmp");
  assertEquals(chmod.commandLine, ["/bin/chmod", "777", "-R", "/tmp"]);
});

Deno.test("parseClassic() reads the lines of Piston", () => {
  assertEquals(accepted("--init --cg -b7").boxId, 7);
  const run = accepted(
    "--run -b7 --meta=F --cg -s -c /box/submission -E HOME=/tmp -E K=V --dir=/pkg --dir=/etc:noexec " +
      "--processes=64 --open-files=2048 --fsize=1024 --wall-time=3 --time=3 --extra-time=0 --cg-mem=9 " +
      "--share-net -- /bin/bash /pkg/run -v",
  );
  assertEquals(run.commandLine, ["/bin/bash", "/pkg/run", "-v"]);
  assertEquals([run.limits.openFiles, run.limits.processes, run.limits.extraTimeMs], [
    2048,
    64,
    undefined,
  ]);
  assertEquals([run.silent, run.run.shareNetwork], [true, true]);
  assertEquals(run.run.workingDirectory, "/box/submission");
  assertEquals(accepted("--cleanup --cg -b7").command, "cleanup");
});

Deno.test("parseClassic() reads the lines of Judge0", () => {
  assertEquals(accepted("--cg -b 3 --init").boxId, 3);
  const run = accepted(
    "--cg -s -b 3 -M F --stderr-to-stdout --share-net -t 5.0 -x 1.0 -w 10.0 -k 64000 -p60 --no-cg-timing " +
      "-m 128000 -f 1024 -E HOME=/tmp -E PATH=/bin -E LANG -E LANGUAGE -E LC_ALL -d /etc:noexec --run -- " +
      "/bin/bash run.sh",
  );
  assertEquals([run.limits.cpuTimeMs, run.limits.stackKib, run.limits.processes], [
    5000,
    64000,
    60,
  ]);
  assertEquals([run.run.controlGroupTiming, run.run.stderr], [false, "stdout"]);
  assertEquals(run.limits.addressSpaceKib, 128000);
  assertEquals(run.environmentRules.slice(2), ["LANG", "LANGUAGE", "LC_ALL"]);
  assertEquals(accepted("--cg -b 3 --cleanup").command, "cleanup");
});

Deno.test("parseClassic() reads the lines of ReCodEx", () => {
  const init = accepted("--cg --quota=2048,100 --box-id=1 --init");
  assertEquals(init.quota, { blocksKib: 2048, inodes: 100 });
  const run = accepted(
    "--cg --cg-timing --box-id=1 --cg-mem=65536 --time=0.5 --wall-time=2 --extra-time=0 --stack=8192 " +
      "--fsize=10 --stdin=in --stdout=out --stderr=err --stderr-to-stdout --chdir=../D --processes " +
      "--share-net --dir=/etc --env=K=V --dir=DST=SRC:rw --dir=etc/alternatives=/etc/alternatives:maybe " +
      "--meta=F --run -- /usr/bin/prog",
  );
  assertEquals(run.limits.processes, "unlimited");
  assertEquals([run.run.stderr, run.run.workingDirectory], ["stdout", "../D"]);
});

Deno.test("parseClassic() reads the lines of kjudge and Kilonova", () => {
  const kjudge = accepted(
    "--cg --run -M F -t 1.5 -w 3.0 -x 1.0 -f 262144 -p -s --env=A=1 --cg-mem=9 -- prog arg",
  );
  assertEquals([kjudge.limits.processes, kjudge.silent], ["unlimited", true]);
  assertEquals(kjudge.commandLine, ["prog", "arg"]);
  const kilonova = accepted(
    "--box-id=1 --cg --processes --cg-timing --dir=/a=/b --env=A --time=1 --wall-time=2 --cg-mem=3 " +
      "--stdin=i --stdout=o --stderr=e --meta=m --silent --run -- prog",
  );
  assertEquals([kilonova.limits.processes, kilonova.metaFiles], ["unlimited", ["m"]]);
  assertEquals(kilonova.run.stdin, { path: "i" });
});
