import { AsyncLocalStorage } from 'node:async_hooks';

/** The signal that ends the work under way; null where that has to come to its end. */
const current = new AsyncLocalStorage<AbortSignal | null>();

/**
 * Does the work until the signal comes: short programs that it runs are killed then, its waits end, and it rejects with
 * the signal's reason once it has tidied up. Work that succeeds in spite of it is not undone.
 */
export async function cancellable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  try {
    return await current.run(signal, work);
  } catch (error) {
    // What a killed program's caller made of it says nothing.
    signal.throwIfAborted();
    throw error;
  }
}

/** Does work that has to come to its end in any case: ending what was started. */
export function uncancelled<T>(work: () => Promise<T>): Promise<T> {
  return current.run(null, work);
}

/** The signal that the work under way listens to, if any. */
export function cancellation(): AbortSignal | null {
  return current.getStore() ?? null;
}
