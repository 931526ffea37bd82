/** Clients of the service that are Python scripts, which send what they like. */

import { ABI_VERSION } from "../../ffi/abi.ts";

/** What the scripts begin with: raw packets with any descriptors. */
const PRELUDE = `
import array, fcntl, os, random, select, socket, struct, sys, time
PATH, ROUNDS = sys.argv[1], int(sys.argv[2])
KEPT, SOCKETS = [], []
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(5); s.connect(PATH); SOCKETS.append(s); return s
def send(s, data, fds=()):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try: s.sendmsg([data], rights)
    except OSError: pass
def memory(text, seals=15):
    fd = os.memfd_create("m", os.MFD_ALLOW_SEALING); os.write(fd, text); fcntl.fcntl(fd, 1033, seals); return fd
VERSION = int(sys.argv[3])
def hello(arguments, environment=b"", magic=0x4c4c4548, streams=0, version=VERSION, sizes=None):
    a, e = sizes or (len(arguments), len(environment))
    return struct.pack("<IIIIIIii", 1, version, magic, streams, a, e, 3, 4) + bytes(256)
def pair():
    KEPT.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)); return KEPT[-1]
def is_dropped(s):
    try:
        while True:
            if not s.recv(1 << 18): return True
    except ConnectionError: return True
    except TimeoutError: return False
`;

/** The arguments with which Python runs a script after that; `ROUNDS` is a number for it. */
export function rawClient(
  script: string,
  { socket, rounds = 0 }: { socket: string; rounds?: number },
): string[] {
  return ["-c", PRELUDE + script, socket, `${rounds}`, `${ABI_VERSION}`];
}
