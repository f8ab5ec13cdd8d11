import { percentile } from '../../bench/stats.js';

/** Does `work` on all items, `atOnce` of them at a time; gives the results in order, and the milliseconds of each. */
export async function inTurns<T, R>(
  atOnce: number,
  items: T[],
  work: (item: T) => Promise<R>,
): Promise<{ results: R[]; times: number[] }> {
  const results: R[] = [];
  const times: number[] = [];
  const left = items.entries();
  const one = async () => {
    for (const [index, item] of left) {
      const began = performance.now();
      results[index] = await work(item);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { results, times };
}

/** One line about what was measured, for the dated output. */
export function summarize(what: string, times: number[], totalMs?: number): void {
  const facts = [
    ...(times.length === 0
      ? []
      : [`p50 ${percentile(times, 0.5).toFixed(0)} ms`, `p99 ${percentile(times, 0.99).toFixed(0)} ms`]),
    ...(totalMs === undefined ? [] : [`all settled after ${(totalMs / 1_000).toFixed(1)} s`]),
  ];
  process.stdout.write(`${what}: ${facts.join(', ')}\n`);
}
