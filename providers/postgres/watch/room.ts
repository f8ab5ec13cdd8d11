import type { Database, Logger } from '../../kit/index.js';
import { TENANT_DATABASE } from '../engine/names.js';
import { chooseOccupants, type Occupant } from './crowd.js';

/** This share of the places that are not reserved is kept free, so that whoever comes finds one. */
const FREE_SHARE = 0.1;

/** Makes room where the cluster's connections run out, since more of them are sold than there are. */
export class Room {
  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  async makeRoom(): Promise<void> {
    const [server] = await this.database.query<{ places: number; taken: number }>(
      `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int AS places,
         (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS taken`,
    );
    if (server === undefined) return;
    const { places, taken } = server;
    const missing = Math.ceil(places * FREE_SHARE) - (places - taken);
    if (missing > 0) await this.end(missing);
  }

  private async end(places: number): Promise<void> {
    const occupants = await this.database.query<Occupant>(
      `SELECT a.pid, a.datname AS database, a.state = 'idle' AS idle,
         extract(epoch FROM coalesce(a.state_change, a.backend_start))::float8 * 1000 AS "sinceMs"
       FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid AND NOT r.rolsuper
       WHERE a.datname ~ $1 AND a.backend_type = 'client backend'`,
      [TENANT_DATABASE],
    );
    const chosen = chooseOccupants(occupants, places);
    if (chosen.length === 0) return;
    await this.database.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid', [
      chosen.map(({ pid }) => pid),
    ]);
    this.log.warn({ ended: chosen.length }, 'the connections ran out, and sessions were ended to make room');
  }
}
