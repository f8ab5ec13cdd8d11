/** A session of a tenant, as far as its place in the cluster matters. */
export interface Occupant {
  pid: number;
  database: string;
  /** It does nothing, and no transaction of its own is open. */
  idle: boolean;
  /** Since when it is as it is. */
  sinceMs: number;
}

/** Nobody's last ones are taken. */
const KEPT_EACH = 2;

/**
 * The sessions to end so that so many places become free. Always from the database with the most sessions, so that who
 * has few keeps them however many the others open; there, who idles goes before who works, and who does so longest goes
 * first.
 */
export function chooseOccupants(occupants: Occupant[], places: number): Occupant[] {
  const byDatabase = new Map<string, Occupant[]>();
  for (const one of occupants) byDatabase.set(one.database, [...(byDatabase.get(one.database) ?? []), one]);
  for (const sessions of byDatabase.values())
    sessions.sort((a, b) => Number(b.idle) - Number(a.idle) || a.sinceMs - b.sinceMs || a.pid - b.pid);
  const chosen: Occupant[] = [];
  while (chosen.length < places) {
    const [largest] = [...byDatabase.values()].sort((a, b) => b.length - a.length);
    if (largest === undefined || largest.length <= KEPT_EACH) break;
    const next = largest.shift();
    if (next !== undefined) chosen.push(next);
  }
  return chosen;
}
