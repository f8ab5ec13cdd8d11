/** Longer promises of an origin are not believed: nobody purges what they forgot. */
const AGE_MAX_SECONDS = 86_400;

/** How many seconds an answer may be kept for everybody; 0: not at all. What the origin does not allow is not kept. */
export function freshSeconds(status: number, headers: Record<string, string | undefined>): number {
  if (![200, 203, 301, 404, 410].includes(status)) return 0;
  const directives = (headers['cache-control'] ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  if (directives.some((one) => /^(no-store|no-cache|private)\b/.test(one))) return 0;
  // We ask without cookies, languages and encodings, so only an answer that hangs on something else differs.
  const vary = (headers.vary ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  if (vary.some((one) => one !== '' && one !== 'accept-encoding')) return 0;
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? 0;
  return Math.min(seconds, AGE_MAX_SECONDS);
}

function secondsOf(directives: string[], name: string): number | null {
  const found = directives.map((one) => new RegExp(`^${name}="?(\\d{1,10})"?$`).exec(one)?.[1]);
  const value = found.find((one) => one !== undefined);
  return value === undefined ? null : Number(value);
}
