/* Looks at the signals of a program that init traces because a crash report was asked for. */
#include <linux/elf.h>
#include <linux/ptrace.h>

#include "kernel.h"

enum { ESRCH = 3, SIGSTOP = 19, SIGTTOU = 22 };

static i64 trace(u64 request, i32 thread, u64 kind, u64 data) {
  return kernel(__NR_ptrace, request, (u64)thread, kind, data, 0, 0);
}

i32 crash_is_thread(i32 program, i32 thread) {
  return kernel(__NR_tgkill, (u64)program, (u64)thread, 0, 0, 0, 0) != -ESRCH;
}

static void remember(i32 thread, struct crash *crash) {
  /* The kernel's siginfo: number, errno, code, and at 16 the address of a fault. */
  union {
    i32 words[32];
    u64 pairs[16];
  } info;
  u64 vector[2] = {(u64)crash->registers, sizeof crash->registers};
  if (trace(PTRACE_GETSIGINFO, thread, 0, (u64)&info) < 0)
    return;
  crash->thread = thread;
  crash->signal = info.words[0];
  crash->code = info.words[2];
  crash->address = info.pairs[2];
  crash->register_bytes = trace(PTRACE_GETREGSET, thread, NT_PRSTATUS, (u64)vector) < 0 ? 0 : (u32)vector[1];
}

/* Nothing is held back: each signal goes on to its thread, and what stops stays stopped until it may continue. Whatever
 * else has itself traced by us (PTRACE_TRACEME of a child, CLONE_PTRACE) is let go. */
void crash_attend(i32 program, i32 thread, i32 status, struct crash *crash) {
  i32 signal = status & 0xff, event = status >> 8;
  if (!crash || !crash_is_thread(program, thread)) {
    trace(PTRACE_DETACH, thread, 0, event ? 0 : (u64)signal);
  } else if (!event) {
    remember(thread, crash);
    trace(PTRACE_CONT, thread, 0, (u64)signal);
  } else {
    i32 stays = event == PTRACE_EVENT_STOP && signal >= SIGSTOP && signal <= SIGTTOU;
    trace(stays ? PTRACE_LISTEN : PTRACE_CONT, thread, 0, 0);
  }
}
