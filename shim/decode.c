/* Decodes plans, and trusts nothing: whatever an accepted plan says, the interpreter itself reads, writes and jumps
 * only inside the plan. (What the plan's system calls do is the planner's business.) */
#include <asm/unistd.h>

#include "operations.h"
#include "plan.h"

const u16 operation_numbers[] = {OPERATION_NUMBERS};
const u32 operation_count = sizeof operation_numbers / sizeof *operation_numbers;

enum { CLONE_ARGS_SIZE = 88 };

static int buffer_fits(const struct layout *layout, u64 offset, u64 length) {
  return offset <= layout->data_size && length <= layout->data_size - offset;
}

static int slot_is_valid(const struct plan *plan, u16 slot) { return slot == NO_SLOT || slot < plan->slot_count; }

static int argument_is_valid(const struct plan *plan, const struct layout *layout, const struct step *step, u32 i) {
  u64 value = step->args[i];
  switch (argument_kind(step, i)) {
  case ARG_VALUE:
    return 1;
  case ARG_DATA:
    return value < layout->data_size;
  case ARG_BUFFER:
    return i < 5 && argument_kind(step, i + 1) == ARG_VALUE && buffer_fits(layout, value, step->args[i + 1]);
  case ARG_SLOT:
    return value < plan->slot_count;
  default:
    return 0;
  }
}

static int step_is_valid(const struct plan *plan, const struct layout *layout, u32 index) {
  const struct step *step = &layout->steps[index];
  const u64 *args = step->args;
  if (step->operation >= operation_count || step->flags & ~(STEP_IGNORE | STEP_FINALLY) || step->kinds >> 24 ||
      !slot_is_valid(plan, step->result_slot) || !slot_is_valid(plan, step->guard_slot))
    return 0;
  for (u32 i = 0; i < 6; i++)
    if (!argument_is_valid(plan, layout, step, i))
      return 0;
  switch (operation_numbers[step->operation]) {
  case OWN_spawn: /* only forward, so that no plan runs for ever by itself */
  case OWN_spawn_each:
    return (step->kinds & 0xffff) == ARG_BUFFER && args[1] == CLONE_ARGS_SIZE && args[2] > index && args[2] >= plan->main_count &&
           args[2] <= plan->step_count && args[3] <= plan->step_count - args[2];
  case OWN_load:
  case OWN_store:
    return (step->kinds & 15) == ARG_BUFFER && (args[1] == 4 || args[1] == 8) && args[0] % args[1] == 0;
  default:
    return 1;
  }
}

int plan_decode(struct plan *plan, u64 size, struct layout *layout) {
  if ((u64)plan % 8 || size < sizeof *plan || size > PLAN_SIZE_MAX || plan->magic != PLAN_MAGIC ||
      plan->abi_version != ABI_VERSION || plan->size != size || plan->main_count > plan->step_count ||
      plan->slot_count >= NO_SLOT)
    return 0;
  u64 slots_at = sizeof *plan + (u64)plan->step_count * sizeof(struct step);
  u64 pointers_at = slots_at + (u64)plan->slot_count * sizeof(i64);
  u64 data_at = pointers_at + (u64)plan->pointer_count * 2 * sizeof(u32);
  u8 *bytes = (u8 *)plan;
  /* The last byte is 0, so that every string in the data ends within it. */
  if (data_at >= size || bytes[size - 1])
    return 0;
  *layout = (struct layout){(struct step *)(plan + 1), (i64 *)(bytes + slots_at), (u32 *)(bytes + pointers_at),
                            bytes + data_at, size - data_at};
  for (u32 i = 0; i < plan->step_count; i++)
    if (!step_is_valid(plan, layout, i))
      return 0;
  for (u32 i = 0; i < plan->pointer_count; i++) {
    u32 where = layout->pointers[2 * i], target = layout->pointers[2 * i + 1];
    if (where % 8 || !buffer_fits(layout, where, 8) || target >= layout->data_size)
      return 0;
    *(u64 *)(layout->data + where) = (u64)(layout->data + target);
  }
  return 1;
}
