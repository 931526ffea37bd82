/* The door to the kernel: raw system calls, without a libc's errno, cancellation or locks. */
#ifndef ISOLATE_KERNEL_H
#define ISOLATE_KERNEL_H

#include <asm/unistd.h>

#include "plan.h"

#if defined(__x86_64__)

static inline i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  i64 result;
  register u64 r10 __asm__("r10") = d;
  register u64 r8 __asm__("r8") = e;
  register u64 r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* clone3 whose child, on its own stack or on its copy of ours, calls entry(argument) and never returns. */
static inline i64 kernel_clone3(void *args, u64 size, void (*entry)(void *), void *argument) {
  i64 result;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "and $-16, %%rsp\n\t"
                   "mov %[argument], %%rdi\n\t"
                   "call *%[entry]\n\t"
                   "ud2\n"
                   "1:"
                   : "=a"(result)
                   : "a"(435L), "D"(args), "S"(size), [entry] "r"(entry), [argument] "r"(argument)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

static inline i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register i64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  register u64 x2 __asm__("x2") = c;
  register u64 x3 __asm__("x3") = d;
  register u64 x4 __asm__("x4") = e;
  register u64 x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return (i64)x0;
}

static inline i64 kernel_clone3(void *args, u64 size, void (*entry)(void *), void *argument) {
  register i64 x8 __asm__("x8") = 435;
  register u64 x0 __asm__("x0") = (u64)args;
  register u64 x1 __asm__("x1") = size;
  register void *x9 __asm__("x9") = (void *)entry;
  register void *x10 __asm__("x10") = argument;
  __asm__ volatile("svc 0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, xzr\n\t"
                   "mov x0, x10\n\t"
                   "blr x9\n\t"
                   "brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
                   : "x30", "memory");
  return (i64)x0;
}

#else
#error "isolate runs on x86_64 and aarch64"
#endif

static inline __attribute__((noreturn)) void kernel_exit(i32 status) {
  for (;;)
    kernel(__NR_exit_group, (u64)status, 0, 0, 0, 0, 0);
}

#endif
