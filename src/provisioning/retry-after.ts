/** Statuses whose Retry-After is listened to (RFC 9110, 10.2.3). */
const LISTENED = [429, 503];

/** A provider cannot put its calls off for longer. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** How long a reply asks to be left alone, bounded; 0 where it does not ask, or in a way that cannot be read. */
export function retryAfterMs(status: number | null, header: string | undefined, now: Date): number {
  if (status === null || !LISTENED.includes(status) || header === undefined) return 0;
  const text = header.trim();
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : untilDate(text, now);
  return Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS);
}

/** Only the form that HTTP knows: `Date.parse` alone would take any number for a year. */
function untilDate(text: string, now: Date): number {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return 0;
  const at = Date.parse(text);
  return Number.isNaN(at) ? 0 : at - now.getTime();
}
