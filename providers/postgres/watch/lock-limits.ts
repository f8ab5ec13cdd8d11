/** How many locks a session of a tenant holds. */
export interface LockHolder {
  pid: number;
  database: string;
  locks: number;
}

/** A dump of a database takes one for each table and sequence, a migration a few for each that it touches. */
const SESSION_MAX = 10_000;
const DATABASE_MAX = 20_000;

/**
 * The sessions to end so that the table of locks, which all tenants and this program share, keeps room: who holds too
 * many alone, whose database does, and while all tenants together hold more than half of the table, those of the
 * databases that hold most. The largest holders go first.
 */
export function chooseLockHogs(holders: LockHolder[], tablePlaces: number): LockHolder[] {
  const sums = new Map<string, number>();
  for (const { database, locks } of holders) sums.set(database, (sums.get(database) ?? 0) + locks);
  const sumOf = ({ database }: LockHolder): number => sums.get(database) ?? 0;
  let all = holders.reduce((sum, { locks }) => sum + locks, 0);
  const hogs: LockHolder[] = [];
  const left = [...holders];
  for (;;) {
    left.sort((a, b) => sumOf(b) - sumOf(a) || b.locks - a.locks);
    const [first] = left;
    if (first === undefined) break;
    const alone = left.find(({ locks }) => locks > SESSION_MAX);
    const hog = alone ?? (sumOf(first) > DATABASE_MAX || all > tablePlaces / 2 ? first : null);
    if (hog === null) break;
    left.splice(left.indexOf(hog), 1);
    hogs.push(hog);
    sums.set(hog.database, sumOf(hog) - hog.locks);
    all -= hog.locks;
  }
  return hogs;
}
