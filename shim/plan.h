/* The layout of a plan, of its steps, and of a box's reports. ffi/abi.ts mirrors it. */
#pragma once

#pragma GCC visibility push(hidden) /* so that no symbol needs a relocation */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int i32;
typedef long i64;

enum { PLAN_MAGIC = 0x4c505349 /* "ISPL" */, ABI_VERSION = 13, PLAN_SIZE_MAX = 1 << 28, NO_SLOT = 0xffff };

/* The kind of an argument: four bits each in step.kinds. */
enum {
  ARG_VALUE = 0,  /* as it is */
  ARG_DATA = 1,   /* an offset into the plan's data; the call gets its address */
  ARG_BUFFER = 2, /* the same, and the next argument is the number of bytes that must lie there */
  ARG_SLOT = 3,   /* the number of a slot; the call gets what the slot holds */
};

enum {
  STEP_IGNORE = 1,  /* a failure of this step is no failure of the plan */
  STEP_FINALLY = 2, /* runs even after another step has failed (to restore ids and masks) */
};

struct step {
  u16 operation;
  u8 flags;
  u8 ignored_errno; /* this one errno is no failure; 0: none */
  u16 result_slot;  /* takes the result or the negative errno */
  u16 guard_slot;   /* the step runs only if this slot holds guard_value */
  i32 guard_value;
  u32 kinds;
  u64 args[6];
};

/* A plan is: this header, steps, slots (i64), pointers (two u32 each: where, to what), data. */
struct plan {
  u32 magic, abi_version;
  u32 size; /* of everything, in bytes */
  u32 step_count;
  u32 main_count; /* the steps after these are for spawned children */
  u32 slot_count, pointer_count;
  i32 report_fd; /* takes a child's report of a failed step; -1: none */
  u32 failed_step;
  i32 failed_errno; /* positive; 0: nothing failed */
  u32 reserved[2];
};

/* One message of a box to its keeper. Plan steps write "started" and 5, "not executed", the shim writes the others. */
enum { REPORT_FAILED = 1, REPORT_STARTED = 2, REPORT_ENDED = 3, REPORT_CRASHED = 4 };

struct report {
  u32 kind;
  u32 step;            /* failed: which; ended: 1 if nothing else lives in the box */
  i32 status;          /* failed: errno; ended: exit status or signal */
  i32 code;            /* ended: CLD_EXITED, CLD_KILLED or CLD_DUMPED */
  i64 wall_s, wall_ns; /* CLOCK_MONOTONIC of the event */
  i64 cpu_s, cpu_ns;   /* started: used before execve; ended: of the program and all it waited for */
  i64 max_rss_kib;
  i64 voluntary_switches, forced_switches;
};

/* Comes before "ended" if the program was traced and a signal ended it. */
struct crash {
  u32 kind;
  i32 thread; /* as numbered in the box */
  i32 signal, code;
  u64 address; /* of the fault, for signals that have one */
  u32 register_bytes, reserved;
  u64 registers[34]; /* NT_PRSTATUS, of whichever architecture the program is */
};

/* The parts of a checked plan. */
struct layout {
  struct step *steps;
  i64 *slots;
  u32 *pointers;
  u8 *data;
  u64 data_size;
};

static inline u32 argument_kind(const struct step *step, u32 i) { return step->kinds >> (4 * i) & 15; }

/* Checks a plan. If it returns 1, every offset, count and slot in the plan is within bounds. */
int plan_decode(struct plan *plan, u64 size, struct layout *layout);

/* Runs `count` steps. Returns 0, or the negative errno with plan->failed_step set. */
i64 plan_run(struct plan *plan, struct layout *layout, u32 first, u32 count);

/* Does the same as the whole life of a process, and reports a failure to the keeper. */
__attribute__((noreturn)) void plan_live(struct plan *plan, struct layout *layout, u32 first, u32 count);

/* Lives the plan in a memory file, which is closed. */
__attribute__((noreturn)) void plan_live_file(i32 fd);

/* Attends to a thread that has stopped; `crash` takes what its signal was, NULL: nothing is traced on purpose. */
void crash_attend(i32 program, i32 thread, i32 status, struct crash *crash);

/* Whether it is a thread of the program, dead or alive. */
i32 crash_is_thread(i32 program, i32 thread);

extern const u16 operation_numbers[];
extern const u32 operation_count;
enum { OWN_BASE = 0x8000, OWN_spawn = OWN_BASE, OWN_store, OWN_load, OWN_next, OWN_reap, OWN_spawn_each };
