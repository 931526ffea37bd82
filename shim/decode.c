/* The decoder of plans. It believes nothing: a plan that it accepts cannot make the interpreter
 * read, write or jump outside the plan, whatever its system calls then do. */
#include "operations.h"
#include "plan.h"

static int buffer_fits(const struct layout *layout, u64 offset, u64 length) {
  return offset <= layout->data_size && length <= layout->data_size - offset;
}

static int argument_is_valid(const struct plan *plan, const struct layout *layout, const struct step *step, u32 i) {
  u64 value = step->args[i];
  switch (step->kinds >> (4 * i) & 15) {
  case ARG_VALUE:
    return 1;
  case ARG_DATA:
    return value < layout->data_size;
  case ARG_BUFFER:
    return i < 5 && (step->kinds >> (4 * (i + 1)) & 15) == ARG_VALUE &&
           buffer_fits(layout, value, step->args[i + 1]);
  case ARG_SLOT:
    return value < plan->slot_count;
  default:
    return 0;
  }
}

static int slot_is_valid(const struct plan *plan, u16 slot) { return slot == NO_SLOT || slot < plan->slot_count; }

static int step_is_valid(const struct plan *plan, const struct layout *layout, u32 index) {
  const struct step *step = &layout->steps[index];
  if (step->operation >= operation_count || step->flags & ~(STEP_IGNORE | STEP_FINALLY) || step->kinds >> 24)
    return 0;
  if (!slot_is_valid(plan, step->result_slot) || !slot_is_valid(plan, step->guard_slot))
    return 0;
  for (u32 i = 0; i < 6; i++)
    if (!argument_is_valid(plan, layout, step, i))
      return 0;
  switch (operation_numbers[step->operation]) {
  case OWN_spawn: /* only forward, so that no plan can run for ever */
    return (step->kinds & 0xfff) == ARG_BUFFER && 0 == (step->kinds >> 12) && step->args[1] == 88 &&
           step->args[2] > index && step->args[2] >= plan->main_count && step->args[2] <= plan->step_count &&
           step->args[3] <= plan->step_count - step->args[2];
  case OWN_store:
    return (step->kinds & 0xff) == ARG_BUFFER && (step->args[1] == 4 || step->args[1] == 8);
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
  /* The last byte is 0, so that every string in the data ends within it. */
  if (data_at >= size || ((u8 *)plan)[size - 1])
    return 0;
  layout->steps = (struct step *)(plan + 1);
  layout->slots = (i64 *)((u8 *)plan + slots_at);
  layout->pointers = (u32 *)((u8 *)plan + pointers_at);
  layout->data = (u8 *)plan + data_at;
  layout->data_size = size - data_at;
  for (u32 i = 0; i < plan->step_count; i++)
    if (!step_is_valid(plan, layout, i))
      return 0;
  for (u32 i = 0; i < plan->pointer_count; i++) {
    u32 where = layout->pointers[2 * i];
    if (where % 8 || !buffer_fits(layout, where, 8) || layout->pointers[2 * i + 1] >= layout->data_size)
      return 0;
  }
  for (u32 i = 0; i < plan->pointer_count; i++)
    *(u64 *)(layout->data + layout->pointers[2 * i]) = (u64)(layout->data + layout->pointers[2 * i + 1]);
  return 1;
}
