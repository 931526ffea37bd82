/* The layout of a plan, of its steps, and of what a box reports. Mirrored by ffi/abi.ts. */
#pragma once

#pragma GCC visibility push(hidden) /* no symbol goes through a table that somebody would have to relocate */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int i32;
typedef long i64;

enum { PLAN_MAGIC = 0x4c505349 /* "ISPL" */, ABI_VERSION = 4, PLAN_SIZE_MAX = 1 << 28, NO_SLOT = 0xffff };

/* What the four bits an argument has in step.kinds say. */
enum {
  ARG_VALUE = 0,  /* as it stands */
  ARG_DATA = 1,   /* an offset into the plan's data; the call gets its address */
  ARG_BUFFER = 2, /* likewise, and the next argument is the number of bytes that must lie there */
  ARG_SLOT = 3,   /* the number of a slot; the call gets what the slot holds */
};

enum {
  STEP_IGNORE = 1,  /* a failure of this step is no failure of the plan */
  STEP_FINALLY = 2, /* runs also after another step has failed (puts ids and masks back) */
};

struct step {
  u16 operation;
  u8 flags;
  u8 ignored_errno; /* this one errno is no failure; 0: none */
  u16 result_slot;  /* where the result goes, the negative errno included */
  u16 guard_slot;   /* the step is left out unless this slot holds guard_value */
  i32 guard_value;
  u32 kinds;
  u64 args[6];
};

/* A plan is: this header, steps, slots (i64), pointers (two u32 each: where, to what), data. */
struct plan {
  u32 magic, abi_version;
  u32 size; /* of everything, in bytes */
  u32 step_count;
  u32 main_count; /* the first so many steps are run; the others are for spawned children */
  u32 slot_count, pointer_count;
  i32 report_fd; /* where a child says that a step failed; -1: nowhere */
  u32 failed_step;
  i32 failed_errno; /* positive; 0: nothing failed */
  u32 reserved[2];
};

/* One message of a box to its keeper. "started" is written by plan steps, the others by the shim. */
enum { REPORT_FAILED = 1, REPORT_STARTED = 2, REPORT_ENDED = 3 };

struct report {
  u32 kind;
  u32 step;            /* failed: which */
  i32 status;          /* failed: errno; ended: exit status or signal */
  i32 code;            /* ended: CLD_EXITED, CLD_KILLED or CLD_DUMPED */
  i64 wall_s, wall_ns; /* CLOCK_MONOTONIC of the event */
  i64 cpu_s, cpu_ns;   /* started: used before execve; ended: of the program and all it waited for */
  i64 max_rss_kib;
  i64 voluntary_switches, forced_switches;
};

/* Where the parts of a checked plan lie. */
struct layout {
  struct step *steps;
  i64 *slots;
  u32 *pointers;
  u8 *data;
  u64 data_size;
};

static inline u32 argument_kind(const struct step *step, u32 i) { return step->kinds >> (4 * i) & 15; }

/* Reads and checks a plan; every offset, count and slot in it is within bounds if this returns 1. */
int plan_decode(struct plan *plan, u64 size, struct layout *layout);

/* Runs `count` steps; 0 or the negative errno, with plan->failed_step set. */
i64 plan_run(struct plan *plan, struct layout *layout, u32 first, u32 count);

/* The same as the whole life of a process: a failure is reported to the keeper. */
__attribute__((noreturn)) void plan_live(struct plan *plan, struct layout *layout, u32 first, u32 count);

extern const u16 operation_numbers[];
extern const u32 operation_count;
enum { OWN_BASE = 0x8000, OWN_spawn = OWN_BASE, OWN_store, OWN_reap };
