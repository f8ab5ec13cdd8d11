/** The value below which a share `p` (0 to 1) of the sorted samples lies. */
export function percentile(samples: number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** The middle of several runs: one run that was disturbed does not decide. */
export function median(samples: number[]): number {
  return percentile(samples, 0.5);
}
