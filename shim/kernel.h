/* Raw system calls, without a libc's errno, cancellation or locks. */
#pragma once

#include <asm/unistd.h>

#include "plan.h"

/* kernel_clone3: the child, on its own stack or on its copy of ours, calls entry(argument), which never returns. It
 * aligns its stack and skips the red zone, which the compiler may have used below a copied one. */
#if defined(__x86_64__)

static inline i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return number;
}

static inline i64 kernel_clone3(u64 args, u64 size, void (*entry)(void *), void *argument) {
  i64 result = __NR_clone3;
  register void (*r8)(void *) __asm__("r8") = entry;
  register void *r9 __asm__("r9") = argument;
  __asm__ volatile("syscall; test %%rax, %%rax; jnz 1f\n\t"
                   "sub $128, %%rsp; and $-16, %%rsp; xor %%ebp, %%ebp\n\t"
                   "mov %%r9, %%rdi; call *%%r8; ud2\n"
                   "1:"
                   : "+a"(result)
                   : "D"(args), "S"(size), "r"(r8), "r"(r9)
                   : "rcx", "r11", "cc", "memory");
  return result;
}

#elif defined(__aarch64__)

static inline i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register i64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  register u64 x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return (i64)x0;
}

static inline i64 kernel_clone3(u64 args, u64 size, void (*entry)(void *), void *argument) {
  register i64 x8 __asm__("x8") = __NR_clone3;
  register u64 x0 __asm__("x0") = args, x1 __asm__("x1") = size;
  register void (*x9)(void *) __asm__("x9") = entry;
  register void *x10 __asm__("x10") = argument;
  __asm__ volatile("svc 0; cbnz x0, 1f\n\t"
                   "sub x11, sp, #128; and sp, x11, #-16; mov x29, xzr\n\t"
                   "mov x0, x10; blr x9; brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
                   : "x11", "x30", "memory");
  return (i64)x0;
}

#else
#error "isolate runs on x86_64 and aarch64"
#endif

static inline __attribute__((noreturn)) void kernel_exit(i32 status) {
  for (;;)
    kernel(__NR_exit_group, (u64)status, 0, 0, 0, 0, 0);
}
