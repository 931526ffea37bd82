/** Long work that lets others have their turn. */

/** So long others of this process wait, in milliseconds: at first, and in each turn after that. */
const [FIRST_MS, TURN_MS] = [2, 1];

/** A part of the work that can be done on another thread. */
export interface Task {
  /** It takes so little time that changing threads would take longer. */
  readonly isSmall: boolean;
  here(): void;
  aside(): Promise<void>;
}

/** Work that yields now and then: where others can have a turn, or with what is to be done before it goes on. */
export type Steps<T> = Generator<Task | void, T, void>;

/**
 * Does such work. What is soon done is done at once. Of the rest everything that takes long is done on
 * another thread: a file system can keep whoever works in it waiting for longer than anybody planned.
 */
export function inSlices<T>(work: Steps<T>): T | Promise<T> {
  const endMs = performance.now() + FIRST_MS;
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() >= endMs) return finish(work, value);
    value?.here();
  }
}

async function finish<T>(work: Steps<T>, first: Task | void): Promise<T> {
  let endMs = 0;
  for (let task = first;;) {
    const isTimeLeft = performance.now() < endMs;
    if (!isTimeLeft || task?.isSmall === false) {
      await (task?.aside() ?? new Promise((resolve) => setTimeout(resolve, 0)));
      endMs = performance.now() + TURN_MS;
    } else task?.here();
    const { done, value } = work.next();
    if (done) return value;
    task = value;
  }
}

/** Does such work without a pause. */
export function atOnce<T>(work: Steps<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    value?.here();
  }
}
