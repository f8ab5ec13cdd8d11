const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Nobody needs a longer leap, and dates have an end. */
const MAX_MS = 3_660 * 86_400_000;

/** `+8h`, `90m`, `1d12h` in milliseconds; null for anything else. */
export function durationMs(text: string): number | null {
  const match = /^\+?((?:\d{1,9}[smhd])+)$/.exec(text.trim());
  if (match === null) return null;
  const parts = [...(match[1] ?? '').matchAll(/(\d+)([smhd])/g)];
  const ms = parts.reduce(
    (sum, [, count = '', unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? Number.NaN),
    0,
  );
  return ms > 0 && ms <= MAX_MS ? ms : null;
}
