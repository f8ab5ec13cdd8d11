/** How full a database is, as its holders know it. */
export type Level = 'fine' | 'warned' | 'stopped';

/** From here on the holders are warned. */
const WARN_FROM = 0.9;
/** A warning is taken back only below this, so that a size that wavers around the line is not told again and again. */
const WARN_UNTIL = 0.88;

/** The level that follows from a measured size. Over the limit writes stop; at the limit they go on. */
export function judgeLevel(level: Level, bytes: number, limitBytes: number): Level {
  if (bytes > limitBytes) return 'stopped';
  if (bytes >= limitBytes * WARN_FROM) return 'warned';
  if (level === 'warned' && bytes >= limitBytes * WARN_UNTIL) return 'warned';
  return 'fine';
}
