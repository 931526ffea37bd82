/* From a memory file to the life of a process: how init begins, and how a box that waits goes on. */
#include "kernel.h"
#include "plan.h"

enum { SEEK_END = 2, PROT_READ_WRITE = 3, MAP_PRIVATE = 2, NOT_A_PLAN_STATUS = 125 };

void plan_live_file(i32 fd) {
  struct layout layout;
  i64 size = kernel(__NR_lseek, (u64)fd, 0, SEEK_END, 0, 0, 0);
  i64 address = size > 0 ? kernel(__NR_mmap, 0, (u64)size, PROT_READ_WRITE, MAP_PRIVATE, (u64)fd, 0) : -1;
  struct plan *plan = (struct plan *)address;
  /* It is mapped. Nothing may open it again in the program's process: that could write steps for init. */
  kernel(__NR_close, (u64)fd, 0, 0, 0, 0, 0);
  if (address > 0 && plan_decode(plan, (u64)size, &layout))
    plan_live(plan, &layout, 0, plan->main_count);
  kernel_exit(NOT_A_PLAN_STATUS);
}
