/* The entries of the shim: exports for the keeper, _start for a box's init. The library is also a static program, so
 * that init shares no memory with the keeper. */
#include <linux/fcntl.h>

#include "kernel.h"
#include "operations.h"
#include "plan.h"
#include "signal.h"

#define EXPORT __attribute__((visibility("default")))
enum { EINVAL = 22 };

/* Runs a plan in the calling thread. Returns 0; -EINVAL for a malformed plan (failed_errno is then 0); or the negative
 * errno of the step that failed, here or in a spawned child that shares our memory. */
EXPORT i32 isolate_exec(struct plan *plan, u32 size) {
  struct layout layout;
  if (!plan || !plan_decode(plan, size, &layout))
    return -EINVAL;
  plan->failed_errno = 0;
  plan_run(plan, &layout, 0, plan->main_count);
  return -plan->failed_errno;
}

enum { SIGNALS = 64, SIG_SETMASK = 2 };

/* Enters init, with the stack as execve leaves it; argv[1] is the number of the descriptor that holds the plan. */
__attribute__((noreturn, used)) void init_main(u64 *stack) {
  u64 fd = 0, none = 0;
  const char *digits = (const char *)stack[2];
  while (stack[0] > 1 && *digits >= '0' && *digits <= '9')
    fd = fd * 10 + (u64)(*digits++ - '0');
  /* The program would inherit through execve what the runtime or its caller ignored or blocked. */
  for (u64 signal = 1; signal <= SIGNALS; signal++)
    signal_pass_to((i32)signal, -2);
  kernel(__NR_rt_sigprocmask, SIG_SETMASK, (u64)&none, 0, 8, 0, 0);
  plan_live_file((i32)fd);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall init_main\n");
#else
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl init_main\n");
#endif

EXPORT i32 isolate_signal(i32 signal, i32 fd) { return signal_pass_to(signal, fd); }

/* What TypeScript must agree with. It has only numbers and names, so that a test can read it from the file of the other
 * architecture too. */
#define COUNT(name) +1
#define NAME(name) #name " "
#define OFFSET(type, member) (u32) __builtin_offsetof(struct type, member)

static const struct abi {
  char magic[8];
  u32 version, plan_size, step_size, report_size, crash_size, offsets[19], operations;
  u16 numbers[SYSTEM_CALLS(COUNT) OWN_OPERATIONS(COUNT)];
  char names[sizeof SYSTEM_CALLS(NAME) OWN_OPERATIONS(NAME)];
} abi = {
    "IsolABI", ABI_VERSION, sizeof(struct plan), sizeof(struct step), sizeof(struct report),
    sizeof(struct crash),
    {OFFSET(plan, main_count), OFFSET(plan, report_fd), OFFSET(plan, failed_step), OFFSET(step, flags),
     OFFSET(step, ignored_errno), OFFSET(step, result_slot), OFFSET(step, guard_slot), OFFSET(step, guard_value),
     OFFSET(step, kinds), OFFSET(step, args), OFFSET(report, status), OFFSET(report, wall_s), OFFSET(report, cpu_s),
     OFFSET(report, max_rss_kib), OFFSET(crash, thread), OFFSET(crash, code), OFFSET(crash, address),
     OFFSET(crash, register_bytes), OFFSET(crash, registers)},
    0 SYSTEM_CALLS(COUNT) OWN_OPERATIONS(COUNT), {OPERATION_NUMBERS}, SYSTEM_CALLS(NAME) OWN_OPERATIONS(NAME)};

EXPORT const struct abi *isolate_abi(void) { return &abi; }
