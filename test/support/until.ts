import { vi } from 'vitest';

/** Waits for a condition: repeats `check` until it no longer throws, and gives what it returns. */
export function until<T>(check: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 25 });
}
