/* Interprets plans: one system call a step, and no decisions. */
#include "kernel.h"
#include "signal.h"

enum { P_ALL = 0, WNOHANG = 1, WEXITED = 4, WNOWAIT = 0x01000000, WALL = 0x40000000, CLOCK_MONOTONIC = 1, MSG_NOSIGNAL = 0x4000 };
enum { CLD_EXITED = 1, CLD_TRAPPED = 4, ECHILD = 10, EPIPE = 32, NEXT_FDS_MAX = 16 };

static void set_wall_time(struct report *report) {
  i64 now[2] = {0, 0};
  kernel(__NR_clock_gettime, CLOCK_MONOTONIC, (u64)now, 0, 0, 0, 0);
  report->wall_s = now[0];
  report->wall_ns = now[1];
}

static void send_report(const struct plan *plan, struct report *report) {
  if (plan->report_fd >= 0)
    kernel(__NR_sendto, (u64)plan->report_fd, (u64)report, sizeof *report, MSG_NOSIGNAL, 0, 0);
}

void plan_live(struct plan *plan, struct layout *layout, u32 first, u32 count) {
  if (plan_run(plan, layout, first, count) == 0)
    kernel_exit(0);
  struct report report = {.kind = REPORT_FAILED, .step = plan->failed_step, .status = plan->failed_errno};
  set_wall_time(&report);
  send_report(plan, &report);
  kernel_exit(125);
}

struct child {
  struct plan *plan;
  struct layout *layout;
  u32 first, count;
};

static void child_main(void *argument) {
  struct child *child = argument;
  signal_pass_to(SIGCHLD, -2); /* that of spawn_each() */
  plan_live(child->plan, child->layout, child->first, child->count);
}

/* The kernel's struct rusage (two timevals, fourteen longs), and what waitid fills of its siginfo. */
struct usage {
  i64 user_s, user_us, system_s, system_us, max_rss_kib, unused[11], voluntary_switches, forced_switches;
};
struct wait_info {
  i32 signal, error, code, pad, pid, uid, status, rest[25];
};

static void add_usage(struct report *report, const struct usage *usage) {
  report->cpu_s += usage->user_s + usage->system_s;
  report->cpu_ns += (usage->user_us + usage->system_us) * 1000;
  if (usage->max_rss_kib > report->max_rss_kib)
    report->max_rss_kib = usage->max_rss_kib;
  report->voluntary_switches += usage->voluntary_switches;
  report->forced_switches += usage->forced_switches;
}

/* Lives as the box's init. It reaps the program itself only in the moment of its own end: while init lives, the keeper's
 * process id of the program cannot come to mean another process. */
static i64 reap(const struct plan *plan, i32 program, i32 traces) {
  struct report report = {.kind = REPORT_ENDED};
  struct crash record, *crash = traces ? &record : 0;
  record.kind = REPORT_CRASHED;
  record.signal = 0;
  for (;;) {
    struct wait_info info;
    struct usage usage;
    i64 result = kernel(__NR_waitid, P_ALL, 0, (u64)&info, WEXITED | WNOWAIT, (u64)&usage, 0);
    if (result == -ECHILD)
      return result;
    if (result < 0)
      continue;
    if (info.code == CLD_TRAPPED) {
      crash_attend(program, info.pid, info.status, crash);
      continue;
    }
    /* The usage of a thread is that of its process. */
    if (!crash || info.pid == program || !crash_is_thread(program, info.pid))
      add_usage(&report, &usage);
    if (info.pid == program) {
      set_wall_time(&report);
      report.status = info.status;
      report.code = info.code;
      /* Of the signal that it died of; it can have survived others. */
      if (crash && report.code != CLD_EXITED && crash->signal == report.status)
        kernel(__NR_sendto, (u64)plan->report_fd, (u64)crash, sizeof *crash, MSG_NOSIGNAL, 0, 0);
      /* Children that it left dead have come to us before its own end. What they used belongs to the run. */
      while ((result = kernel(__NR_waitid, P_ALL, 0, (u64)&info, WEXITED | WNOHANG | WALL, (u64)&usage, 0)) == 0 && info.pid)
        if (info.pid != program)
          add_usage(&report, &usage);
      report.step = result == -ECHILD;
      send_report(plan, &report);
      /* The keeper wakes now, and need not wait while the kernel takes the box down. */
      kernel(__NR_close, (u64)plan->report_fd, 0, 0, 0, 0, 0);
      kernel_exit(0);
    }
    kernel(__NR_wait4, (u64)info.pid, 0, 0, 0, 0, 0);
  }
}

/* Waits for a message with descriptors, which get the lowest numbers that are free; who sends them knows which those
 * are. Returns the first one. */
static i64 receive(i32 socket) {
  struct {
    u64 length;
    i32 level, type, fds[NEXT_FDS_MAX];
  } rights = {0, 0, 0, {-1}};
  u64 body = 0, vector[2] = {(u64)&body, sizeof body};
  u64 message[7] = {0, 0, (u64)vector, 1, (u64)&rights, sizeof rights, 0};
  i64 result = kernel(__NR_recvmsg, (u64)socket, (u64)message, 0, 0, 0, 0);
  if (result > 0 && rights.fds[0] >= 0)
    return rights.fds[0];
  return result < 0 ? result : -EPIPE; /* the keeper is gone */
}

/* A box that is made ahead of its program waits here. The first descriptor is the program's plan. */
static i64 next(i32 socket) {
  i64 fd = receive(socket);
  if (fd >= 0)
    plan_live_file((i32)fd);
  return fd;
}

/* Clones a child for each message, which the kernel reaps. The child has the message's descriptors; on the first one
 * the keeper learns the child's process id. */
static i64 spawn_each(const u64 *args, struct child *child) {
  signal_pass_to(SIGCHLD, -1);
  for (;;) {
    i64 fd = receive((i32)args[4]);
    if (fd < 0)
      return fd;
    i64 pid = kernel_clone3(args[0], args[1], child_main, child);
    kernel(__NR_sendto, (u64)fd, (u64)&pid, sizeof pid, MSG_NOSIGNAL, 0, 0);
    kernel(__NR_close_range, (u64)fd, ~0u, 0, 0, 0, 0);
  }
}

static i64 perform(struct plan *plan, struct layout *layout, u16 operation, const u64 *a) {
  struct child child = {plan, layout, (u32)a[2], (u32)a[3]};
  switch (operation_numbers[operation]) {
  case OWN_spawn:
    return kernel_clone3(a[0], a[1], child_main, &child);
  case OWN_spawn_each:
    return spawn_each(a, &child);
  case OWN_store:
    if (a[1] == 4)
      *(u32 *)a[0] = (u32)a[2];
    else
      *(u64 *)a[0] = a[2];
    return 0;
  case OWN_load:
    return a[1] == 4 ? *(i32 *)a[0] : *(i64 *)a[0];
  case OWN_next:
    return next((i32)a[0]);
  case OWN_reap:
    return reap(plan, (i32)a[0], (i32)a[1]);
  default:
    return kernel(operation_numbers[operation], a[0], a[1], a[2], a[3], a[4], a[5]);
  }
}

i64 plan_run(struct plan *plan, struct layout *layout, u32 first, u32 count) {
  i64 failure = 0;
  for (u32 i = first; i < first + count; i++) {
    const struct step *step = &layout->steps[i];
    if (failure && !(step->flags & STEP_FINALLY))
      continue;
    if (step->guard_slot != NO_SLOT && layout->slots[step->guard_slot] != step->guard_value)
      continue;
    u64 args[6];
    for (u32 k = 0; k < 6; k++) {
      u32 kind = argument_kind(step, k);
      args[k] = kind == ARG_VALUE  ? step->args[k]
                : kind == ARG_SLOT ? (u64)layout->slots[step->args[k]]
                                   : (u64)(layout->data + step->args[k]);
    }
    i64 result = perform(plan, layout, step->operation, args);
    if (step->result_slot != NO_SLOT)
      layout->slots[step->result_slot] = result;
    if (result >= 0 || result < -4095 || step->flags & STEP_IGNORE || -result == step->ignored_errno || failure)
      continue;
    failure = result;
    plan->failed_step = i;
    plan->failed_errno = (i32)-result;
  }
  return failure;
}
