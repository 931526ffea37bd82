/* The entries of the shim: exports for the keeper, _start for a box's init. The library is also a static program, so
 * that init shares no memory with the keeper. */
#include "kernel.h"
#include "operations.h"
#include "plan.h"

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

enum { SIGNALS = 64, SIG_SETMASK = 2, SEEK_END = 2, PROT_READ_WRITE = 3, MAP_PRIVATE = 2 };

struct kernel_sigaction {
  u64 handler, flags, restorer, mask;
};

/* Enters init, with the stack as execve leaves it; argv[1] is the number of the descriptor that holds the plan. */
__attribute__((noreturn, used)) void init_main(u64 *stack) {
  struct kernel_sigaction standard = {0, 0, 0, 0};
  struct layout layout;
  u64 fd = 0, none = 0;
  const char *digits = (const char *)stack[2];
  while (stack[0] > 1 && *digits >= '0' && *digits <= '9')
    fd = fd * 10 + (u64)(*digits++ - '0');
  /* The program would inherit through execve what the runtime or its caller ignored or blocked. */
  for (u64 signal = 1; signal <= SIGNALS; signal++)
    kernel(__NR_rt_sigaction, signal, (u64)&standard, 0, 8, 0, 0);
  kernel(__NR_rt_sigprocmask, SIG_SETMASK, (u64)&none, 0, 8, 0, 0);
  i64 size = kernel(__NR_lseek, fd, 0, SEEK_END, 0, 0, 0);
  i64 address = size > 0 ? kernel(__NR_mmap, 0, (u64)size, PROT_READ_WRITE, MAP_PRIVATE, fd, 0) : -EINVAL;
  struct plan *plan = (struct plan *)address;
  if (address > 0 && plan_decode(plan, (u64)size, &layout))
    plan_live(plan, &layout, 0, plan->main_count);
  kernel_exit(125);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall init_main\n");
enum { SA_RESTORER = 0x04000000 };
void restore_from_signal(void);
__asm__("restore_from_signal:\n\tmov $15, %eax\n\tsyscall\n");
#define RESTORER ((u64)restore_from_signal)
#else
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl init_main\n");
enum { SA_RESTORER = 0 };
#define RESTORER 0
#endif

enum { SA_SIGINFO = 4, SA_RESTART = 0x10000000, SA_ONSTACK = 0x08000000, SIG_DFL = 0, SIG_IGN = 1 };
enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGSYS = 31, SI_CODE = 2 };

static i32 set_handler(i32 signal, u64 handler) {
  struct kernel_sigaction action = {handler, SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER, RESTORER, 0};
  return (i32)kernel(__NR_rt_sigaction, (u64)signal, (u64)&action, 0, 8, 0, 0);
}

/* Signal handlers belong to the whole process, and so does the one descriptor that they write to. */
static volatile i32 signal_fd = -1;

static void on_signal(i32 signal, const i32 *info, void *context) {
  const u64 faults = 1 << SIGILL | 1 << SIGTRAP | 1 << SIGBUS | 1 << SIGFPE | 1 << SIGSEGV | 1ul << SIGSYS;
  u8 byte = (u8)signal;
  (void)context;
  if (faults >> signal & 1 && info[SI_CODE] > 0) /* raised, not sent: let it recur with its default effect */
    set_handler(signal, SIG_DFL);
  else
    kernel(__NR_write, (u64)signal_fd, (u64)&byte, 1, 0, 0, 0);
}

/* Writes a byte, the number of `signal`, to `fd` whenever it is sent; fd -1 ignores it, -2 restores the default. */
EXPORT i32 isolate_signal(i32 signal, i32 fd) {
  if (fd >= 0)
    signal_fd = fd;
  return set_handler(signal, fd >= 0 ? (u64)on_signal : fd == -1 ? SIG_IGN : SIG_DFL);
}

/* What TypeScript must agree with. It has only numbers and names, so that a test can read it from the file of the other
 * architecture too. */
#define COUNT(name) +1
#define NAME(name) #name " "
#define OFFSET(type, member) (u32) __builtin_offsetof(struct type, member)

static const struct abi {
  char magic[8];
  u32 version, plan_size, step_size, report_size, offsets[14], operations;
  u16 numbers[SYSTEM_CALLS(COUNT) OWN_OPERATIONS(COUNT)];
  char names[sizeof SYSTEM_CALLS(NAME) OWN_OPERATIONS(NAME)];
} abi = {
    "IsolABI", ABI_VERSION, sizeof(struct plan), sizeof(struct step), sizeof(struct report),
    {OFFSET(plan, main_count), OFFSET(plan, report_fd), OFFSET(plan, failed_step), OFFSET(step, flags),
     OFFSET(step, ignored_errno), OFFSET(step, result_slot), OFFSET(step, guard_slot), OFFSET(step, guard_value),
     OFFSET(step, kinds), OFFSET(step, args), OFFSET(report, status), OFFSET(report, wall_s), OFFSET(report, cpu_s),
     OFFSET(report, max_rss_kib)},
    0 SYSTEM_CALLS(COUNT) OWN_OPERATIONS(COUNT), {OPERATION_NUMBERS}, SYSTEM_CALLS(NAME) OWN_OPERATIONS(NAME)};

EXPORT const struct abi *isolate_abi(void) { return &abi; }
