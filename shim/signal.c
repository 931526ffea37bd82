/* Catching signals: the only code of the shim that runs at any time and on any thread. */
#include "signal.h"

#include "kernel.h"

#if defined(__x86_64__)
enum { SA_RESTORER = 0x04000000 };
void restore_from_signal(void);
__asm__("restore_from_signal:\n\tmov $15, %eax\n\tsyscall\n");
#define RESTORER ((u64)restore_from_signal)
#else
enum { SA_RESTORER = 0 };
#define RESTORER 0
#endif

enum { SA_SIGINFO = 4, SA_RESTART = 0x10000000, SA_ONSTACK = 0x08000000, SIG_DFL = 0, SIG_IGN = 1, SI_CODE = 2 };

struct kernel_sigaction {
  u64 handler, flags, restorer, mask;
};

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

i32 signal_pass_to(i32 signal, i32 fd) {
  if (fd >= 0)
    signal_fd = fd;
  return set_handler(signal, fd >= 0 ? (u64)on_signal : fd == -1 ? SIG_IGN : SIG_DFL);
}
