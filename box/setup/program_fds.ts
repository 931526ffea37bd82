/** Which descriptors a run passes to its init, and under which numbers it has them there. */

import type { Run } from "../run_options.ts";
import type { ProgramStreams, Stream } from "../streams/streams.ts";
import { WAITING_FD } from "./init.ts";
import type { ProgramFds } from "./program.ts";

/** Lists the descriptors of an init that is cloned for the run: it has them under our numbers. */
export function clonedFds(
  { sandbox, controlGroup, streams, inherited, ownTerminal, userNamespace }: Run,
): ProgramFds {
  const { stdin, stdout, stderr } = streams;
  const opened = [stdin, stdout, stderr].flatMap((stream) =>
    typeof stream === "object" && "fd" in stream && stream.fd > 2 ? [stream.fd] : []
  );
  const group = controlGroup?.fds ?? [];
  const remote = sandbox.remote && { ...sandbox.remote, ownTerminal };
  const passed = [...group, ...opened];
  if (remote) passed.push(remote.streamSocket);
  if (userNamespace !== undefined) passed.push(userNamespace);
  const birth = controlGroup?.birthFd;
  return { streams, group, birth, userNamespace, remote, inherited, passed };
}

/**
 * Numbers the descriptors that are sent to an init that waits: the first is its plan, and each gets the
 * lowest number that is free there.
 */
export function sentFds(run: Run): { sent: number[]; programFds: ProgramFds } {
  const sent: number[] = [];
  const numbers: number[] = [];
  const send = (fd: number) => {
    sent.push(fd);
    numbers.push(WAITING_FD + 1 + sent.length);
    return numbers.at(-1)!;
  };
  const sendStream = (stream: Stream, inherited: number): Stream => {
    if (stream === "inherit") return sandbox.remote ? stream : { fd: send(inherited) };
    return "fd" in stream ? { fd: send(stream.fd) } : stream;
  };
  const { sandbox, userNamespace, streams: { stdin, stdout, stderr } } = run;
  const streams: ProgramStreams = {
    stdin: sendStream(stdin, 0),
    stdout: sendStream(stdout, 1),
    stderr: stderr === "stdout" ? stderr : sendStream(stderr, 2),
  };
  const group = (run.controlGroup?.fds ?? []).map(send);
  const remote = sandbox.remote && {
    ownTerminal: run.ownTerminal,
    streams: sandbox.remote.streams,
    streamSocket: send(sandbox.remote.streamSocket),
  };
  const birthIndex = run.controlGroup?.fds.indexOf(run.controlGroup.birthFd ?? -1) ?? -1;
  return {
    sent,
    programFds: {
      streams,
      group,
      birth: group[birthIndex],
      userNamespace: userNamespace === undefined ? undefined : send(userNamespace),
      remote,
      inherited: [],
      passed: numbers,
    },
  };
}
