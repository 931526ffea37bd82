/** Tests of times, which a busy machine can spoil. */

const TRIES = 5;

/**
 * Tries again what compares times: another process of the machine, or the machine below an emulated
 * one, can be in the way of one try. A mistake of ours spoils all of them.
 */
export async function inSomeTry(work: () => Promise<void>): Promise<void> {
  for (let i = 1;; i++) {
    try {
      return await work();
    } catch (error) {
      if (i === TRIES) throw error;
    }
  }
}
