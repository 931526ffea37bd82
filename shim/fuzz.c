/* Fuzzes the decoder and the interpreter of plans: damages good plans and insists that whatever the decoder accepts
 * stays inside its buffer, both when checked and when run against a kernel that does nothing and answers anything.
 * Not part of the shim: an ordinary program, built with sanitizers, which find every access outside.
 *
 *   gcc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-strict-aliasing -o fuzz shim/fuzz.c
 *   ./fuzz SEED ROUNDS PLAN...
 *
 * The same seed and plans give the same rounds. tests/fuzz_test.ts makes plans from the builder and does a short run;
 * with ISOLATE_FUZZ_ROUNDS=10000000 (and ISOLATE_FUZZ_SEED=2) in its environment it does a long one. */

#define kernel real_kernel
#define kernel_clone3 real_kernel_clone3
#define kernel_exit real_kernel_exit
#include "kernel.h"
#undef kernel
#undef kernel_clone3
#undef kernel_exit

static i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
static i64 kernel_clone3(u64 args, u64 size, void (*entry)(void *), void *argument);
__attribute__((noreturn)) static void kernel_exit(i32 status);

#include "decode.c"
#include "run.c"
#include "crash.c"
#include "signal.c"
#pragma GCC visibility pop /* the C library is not ours to hide */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u64 random_state;

static u64 random_below(u64 bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % bound;
}

static void insist(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "the decoder accepted a plan in which %s\n", what);
    abort();
  }
}

/* --- A kernel that does nothing -------------------------------------------------------------------------------- */

enum { CALLS_MAX = 5000 };

static jmp_buf process_end;
static u64 calls;
static const u8 *plan_begin, *plan_end;

/* The waitid of reap() is the only call with addresses of our own: those of its variables. */
static int lies_on_stack(u64 address) {
  u64 here = (u64)__builtin_frame_address(0);
  return address > here && address < here + 65536;
}

static i64 kernel(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  static const i64 results[] = {0, 1, 3, 1000, -1, -2, -9, -17, -22, -4095, -4096, -4097, 0x7fffffffffffffff};
  (void)a, (void)b, (void)d, (void)f;
  if (++calls > CALLS_MAX)
    longjmp(process_end, 1);
  if (number == __NR_waitid && lies_on_stack(c) && lies_on_stack(e)) {
    memset((void *)c, 0, sizeof(struct wait_info));
    memset((void *)e, 0, sizeof(struct usage));
    ((struct wait_info *)c)->pid = (i32)random_below(3);
    return random_below(8) ? 0 : -ECHILD;
  }
  return results[random_below(sizeof results / sizeof *results)];
}

/* Whatever file it is, the plan in it would be decoded first. */
void plan_live_file(i32 fd) {
  (void)fd;
  longjmp(process_end, 1);
}

/* The child runs before its parent goes on, and on its stack. */
static i64 kernel_clone3(u64 args, u64 size, void (*entry)(void *), void *argument) {
  const struct child *child = argument;
  insist(entry == child_main && size == CLONE_ARGS_SIZE, "clone_args have another size");
  insist((u8 *)args >= plan_begin && (u8 *)args + size <= plan_end, "clone_args lie outside");
  if (++calls > CALLS_MAX)
    longjmp(process_end, 1);
  if (random_below(2))
    plan_run(child->plan, child->layout, child->first, child->count);
  return (i64)random_below(100) - 10;
}

__attribute__((noreturn)) static void kernel_exit(i32 status) {
  (void)status;
  longjmp(process_end, 1);
}

/* --- What an accepted plan must be ------------------------------------------------------------------------------- */

static int lies_inside(const void *address, u64 length) {
  return (const u8 *)address >= plan_begin && (const u8 *)address <= plan_end &&
         length <= (u64)(plan_end - (const u8 *)address);
}

static void check_step(const struct plan *plan, const struct layout *layout, u32 index) {
  const struct step *step = &layout->steps[index];
  insist(step->operation < operation_count, "an operation does not exist");
  insist(step->result_slot == NO_SLOT || step->result_slot < plan->slot_count, "a result slot does not exist");
  insist(step->guard_slot == NO_SLOT || step->guard_slot < plan->slot_count, "a guard slot does not exist");
  for (u32 i = 0; i < 6; i++) {
    u64 value = step->args[i];
    u32 kind = argument_kind(step, i);
    insist(kind <= ARG_SLOT, "an argument is of no kind");
    insist(kind != ARG_SLOT || value < plan->slot_count, "an argument's slot does not exist");
    insist(kind != ARG_DATA || lies_inside(layout->data + value, 1), "an address lies outside");
    insist(kind != ARG_BUFFER || (i < 5 && lies_inside(layout->data + value, step->args[i + 1])),
           "a buffer lies outside");
  }
  if (operation_numbers[step->operation] == OWN_spawn || operation_numbers[step->operation] == OWN_spawn_each)
    insist(step->args[2] > index && step->args[2] + step->args[3] <= plan->step_count &&
               step->args[3] <= plan->step_count,
           "a child runs backwards, or steps that do not exist");
}

static void check(const struct plan *plan, const struct layout *layout) {
  insist(lies_inside(layout->steps, (u64)plan->step_count * sizeof(struct step)), "steps lie outside");
  insist(lies_inside(layout->slots, (u64)plan->slot_count * sizeof(i64)), "slots lie outside");
  insist(lies_inside(layout->pointers, (u64)plan->pointer_count * 8), "pointers lie outside");
  insist(lies_inside(layout->data, layout->data_size) && layout->data_size > 0, "data lies outside");
  insist(plan_end[-1] == 0 || plan->pointer_count > 0, "strings do not end");
  insist(plan->main_count <= plan->step_count, "there are more main steps than steps");
  for (u32 i = 0; i < plan->step_count; i++)
    check_step(plan, layout, i);
  for (u32 i = 0; i < plan->pointer_count; i++) {
    u64 *where = (u64 *)(layout->data + layout->pointers[2 * i]);
    insist(lies_inside(where, 8) && lies_inside((void *)*where, 1), "a pointer lies or leads outside");
  }
}

/* --- Damage ------------------------------------------------------------------------------------------------------ */

/* Numbers at which something ends: of this plan, or of their type. */
static u64 edge(const struct plan *plan) {
  u64 data_at = sizeof *plan + plan->step_count * sizeof(struct step) + plan->slot_count * 8 + plan->pointer_count * 8;
  u64 edges[] = {0, 1, 4, 8, 88, plan->step_count, plan->main_count, plan->slot_count, plan->pointer_count,
                 plan->size, plan->size - data_at, NO_SLOT, 1u << 31, 1ul << 32, 1ul << 63, ~0ul, operation_count};
  return edges[random_below(sizeof edges / sizeof *edges)] + random_below(3) - 1;
}

#define COUNT(name) +1
enum { OWN_COUNT = OWN_OPERATIONS(COUNT) };

static void damage_step(const struct plan *plan, struct step *step) {
  const u32 first_own = operation_count - OWN_COUNT;
  switch (random_below(8)) {
  case 0:
    step->operation = (u16)(random_below(2) ? first_own + random_below(OWN_COUNT) : random_below(operation_count + 2));
    break;
  case 1:
    step->kinds = (u32)random_below(1 << 26);
    break;
  case 2:
    step->kinds ^= 1u << random_below(26);
    break;
  case 3:
    step->result_slot = (u16)edge(plan);
    break;
  case 4:
    step->guard_slot = (u16)edge(plan);
    break;
  case 5: /* almost a spawn */
    step->operation = (u16)first_own; /* spawn */
    step->kinds = ARG_BUFFER;
    step->args[0] = random_below(2) ? 0 : edge(plan);
    step->args[1] = 88;
    step->args[2] = random_below(4) ? random_below(plan->step_count + 2ul) : edge(plan);
    step->args[3] = random_below(4) ? random_below(4) : edge(plan);
    break;
  default:
    step->args[random_below(6)] = edge(plan);
  }
}

/* Damages `plan` once and returns its new size. */
static u64 damage(struct plan *plan, u64 size) {
  struct step *steps = (struct step *)(plan + 1);
  u64 step_count = (size - sizeof *plan) / sizeof(struct step);
  u64 known = plan->step_count < step_count ? plan->step_count : step_count;
  switch (random_below(known ? 10 : 5)) {
  case 0:
    ((u32 *)plan)[random_below(sizeof *plan / 4)] = (u32)edge(plan);
    break;
  case 1:
    ((u8 *)plan)[random_below(size)] ^= (u8)(1 << random_below(8));
    break;
  case 2: /* somewhere, mostly among pointers and data */
    ((u32 *)plan)[random_below(size / 4)] = (u32)edge(plan);
    break;
  case 3:
    if (size > sizeof *plan + 8)
      size -= random_below(3) ? 8 : random_below(size - sizeof *plan);
    break;
  case 4:
    plan->size = (u32)size;
    break;
  case 5:
    steps[random_below(known)] = steps[random_below(known)];
    break;
  default:
    damage_step(plan, &steps[random_below(known)]);
  }
  return size;
}

/* --- Rounds ------------------------------------------------------------------------------------------------------- */

/* Decodes a plan in a buffer of exactly its size, so that the sanitizer knows where it ends; if it is accepted, checks
 * and executes it. */
static int try_plan(const void *image, u64 size) {
  struct plan *plan = malloc(size);
  struct layout layout;
  memcpy(plan, image, size);
  plan_begin = (u8 *)plan;
  plan_end = plan_begin + size;
  int accepted = plan_decode(plan, size, &layout);
  if (accepted) {
    check(plan, &layout);
    calls = 0;
    if (setjmp(process_end) == 0)
      plan_run(plan, &layout, 0, plan->main_count);
  }
  free((u8 *)plan_begin);
  return accepted;
}

static struct plan *read_plan(const char *path, u64 *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) {
    perror(path);
    exit(2);
  }
  *size = (u64)ftell(file);
  rewind(file);
  struct plan *plan = malloc(*size);
  if (!plan || *size < sizeof *plan || fread(plan, 1, *size, file) != *size) {
    fprintf(stderr, "%s is not a plan\n", path);
    exit(2);
  }
  fclose(file);
  return plan;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: fuzz SEED ROUNDS PLAN...\n");
    return 2;
  }
  u64 rounds = strtoull(argv[2], 0, 10), accepted = 0, executed = 0;
  random_state = 88172645463325252ul ^ strtoull(argv[1], 0, 10);
  struct plan *seeds[64];
  u64 sizes[64];
  u64 count = (u64)argc - 3 < 64 ? (u64)argc - 3 : 64;
  for (u64 i = 0; i < count; i++)
    seeds[i] = read_plan(argv[3 + i], &sizes[i]);
  for (u64 round = 0; round < rounds; round++) {
    u64 which = random_below(count), size = sizes[which];
    struct plan *good = malloc(size);
    memcpy(good, seeds[which], size);
    /* The first rounds run the plans undamaged. */
    for (u64 i = round < 10 * count ? 0 : 1 + random_below(4); i > 0; i--)
      size = damage(good, size);
    if (try_plan(good, size)) {
      accepted++;
      executed += calls;
    }
    free(good);
  }
  for (u64 i = 0; i < count; i++)
    free(seeds[i]);
  printf("%lu rounds: %lu accepted, %lu calls\n", rounds, accepted, executed);
  return 0;
}
