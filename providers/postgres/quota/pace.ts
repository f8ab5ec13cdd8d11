/** More than any disk here took from a tenant: 840 MB/s, from six writers without a log. */
const FASTEST_BYTES_PER_MS = 1_000_000;
const SLOW_BYTES_PER_MS = 10_000;
const WAIT_MAX_MS = 1_000;
/** A look costs the server a millisecond or less. */
const WAIT_MIN_MS = 100;
const SLOW_WAIT_MIN_MS = 250;
const FORGET_MS = 60_000;

/** How long a database in use may stay unwatched: until it could be full at the worst, within reason. */
export function waitMs(bytes: number, limitBytes: number, grownPerMs: number): number {
  if (bytes > limitBytes) return WAIT_MAX_MS;
  const least = grownPerMs > SLOW_BYTES_PER_MS ? WAIT_MIN_MS : SLOW_WAIT_MIN_MS;
  return Math.min(WAIT_MAX_MS, Math.max(least, (limitBytes - bytes) / FASTEST_BYTES_PER_MS));
}

interface Look {
  atMs: number;
  bytes: number;
  waitMs: number;
}

/** Says which of the databases in use are to be measured now. Each use is followed by a look, sooner or later. */
export class Pace {
  private readonly looks = new Map<string, Look>();
  private readonly waiting = new Set<string>();

  note(databases: string[]): void {
    for (const database of databases) this.waiting.add(database);
  }

  takeDue(nowMs: number): string[] {
    for (const [database, { atMs }] of this.looks) if (nowMs - atMs > FORGET_MS) this.looks.delete(database);
    const due = [...this.waiting].filter((database) => {
      const last = this.looks.get(database);
      return last === undefined || nowMs >= last.atMs + last.waitMs;
    });
    for (const database of due) this.waiting.delete(database);
    return due;
  }

  looked(database: string, bytes: number, limitBytes: number, nowMs: number): void {
    const last = this.looks.get(database);
    const grownPerMs = last === undefined ? 0 : (bytes - last.bytes) / Math.max(1, nowMs - last.atMs);
    this.looks.set(database, { atMs: nowMs, bytes, waitMs: waitMs(bytes, limitBytes, grownPerMs) });
  }
}
