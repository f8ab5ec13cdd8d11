import type { Clock, Migration, Queryable } from '../../kit/index.js';
import type { Level } from './judge.js';

/** The table of what the holders were told. */
export const QUOTA_MIGRATIONS: Migration[] = [
  {
    name: 'quota-1-levels',
    sql: `
      CREATE SCHEMA quota;
      CREATE TABLE quota.levels (
        uuid uuid CONSTRAINT levels_pkey PRIMARY KEY
          CONSTRAINT levels_uuid_fkey REFERENCES kit.resources (uuid) ON DELETE CASCADE,
        level text NOT NULL CONSTRAINT levels_level_check CHECK (level IN ('fine', 'warned', 'stopped')),
        bytes bigint NOT NULL,
        changed_at timestamptz NOT NULL
      );`,
  },
];

/** Every query on the levels' table. */
export class LevelStore {
  constructor(private readonly clock: Clock) {}

  /** Of a database that nothing was ever said about: fine. */
  async find(db: Queryable, uuid: string): Promise<Level> {
    const [row] = await db.query<{ level: Level }>('SELECT level FROM quota.levels WHERE uuid = $1', [uuid]);
    return row?.level ?? 'fine';
  }

  async list(db: Queryable, uuids: string[]): Promise<Map<string, Level>> {
    const rows = await db.query<{ uuid: string; level: Level }>(
      'SELECT uuid, level FROM quota.levels WHERE uuid = ANY ($1)',
      [uuids],
    );
    return new Map(rows.map(({ uuid, level }) => [uuid, level]));
  }

  async set(db: Queryable, uuid: string, level: Level, bytes: number): Promise<void> {
    await db.query(
      `INSERT INTO quota.levels (uuid, level, bytes, changed_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT levels_pkey DO UPDATE SET level = $2, bytes = $3, changed_at = $4`,
      [uuid, level, bytes, this.clock.now()],
    );
  }
}
