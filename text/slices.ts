/** Long work that lets others have their turn. */

/** So long others of this process wait, in milliseconds. */
const SLICE_MS = 2;

/**
 * Does work that yields now and then. What is soon done is done at once; the rest goes on in slices,
 * between which everybody else has a turn.
 */
export function inSlices<T>(work: Generator<void, T>): T | Promise<T> {
  const first = slice(work);
  return first.done ? first.value : finish(work);
}

async function finish<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const result = slice(work);
    if (result.done) return result.value;
  }
}

function slice<T>(work: Generator<void, T>): IteratorResult<void, T> {
  const endMs = performance.now() + SLICE_MS;
  for (;;) {
    const result = work.next();
    if (result.done || performance.now() >= endMs) return result;
  }
}

/** Does such work without a pause. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const result = work.next();
    if (result.done) return result.value;
  }
}
