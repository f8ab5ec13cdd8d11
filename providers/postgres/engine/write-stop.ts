import format from 'pg-format';
import type { CrashPoints, Session } from '../../kit/index.js';
import { asAdmin, type Cluster } from './cluster.js';
import type { TenantNames } from './names.js';
import * as sql from './write-stop-sql.js';

const LIMITS = { statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 };
/** Each table of a chunk takes a place in the lock table, which all tenants share. */
const TABLES_PER_TRANSACTION = 1_000;
const SESSION_END_MS = 5_000;

/**
 * Stops a tenant's writes and lets them go on. While one of both is under way nobody can connect; cut off anywhere,
 * the database stays closed (connection limit 0) until the step is repeated, which the quota watch does.
 */
export class WriteStop {
  constructor(
    private readonly cluster: Cluster,
    private readonly crash: CrashPoints,
  ) {}

  /** From here on nothing grows, whoever runs it: reads, deletes and truncates go on. Ends every session. */
  async stop(names: TenantNames, connections: number): Promise<void> {
    await asAdmin(this.cluster, names.database, LIMITS, async (session) => {
      await this.close(session, names);
      this.crash.reach('write-stop.after-close');
      await session.transaction(async (tx) => {
        const note = await sql.readNote(tx);
        await sql.forbid(tx, names);
        const grants = note?.schemaGrants ?? (await sql.takeSchemaGrants(tx));
        await sql.writeNote(tx, { schemaGrants: grants });
      });
      this.crash.reach('write-stop.after-forbid');
      // Whoever was just coming in when the door closed may have taken the owner's role before it was forbidden.
      await this.endSessions(session, names.database);
      while ((await sql.addTriggers(session, TABLES_PER_TRANSACTION)) > 0);
      this.crash.reach('write-stop.after-triggers');
      await session.transaction(async (tx) => {
        await sql.grantReading(tx, names);
        await this.open(tx, names, connections);
      });
    });
  }

  /** The opposite. Ends every session as well, so that each one that follows has its full rights. */
  async lift(names: TenantNames, connections: number): Promise<void> {
    await asAdmin(this.cluster, names.database, LIMITS, async (session) => {
      await this.close(session, names);
      this.crash.reach('write-lift.after-close');
      while ((await sql.dropTriggers(session, TABLES_PER_TRANSACTION)) > 0);
      this.crash.reach('write-lift.after-triggers');
      await session.transaction(async (tx) => {
        const note = await sql.readNote(tx);
        await sql.revokeReading(tx, names);
        await sql.permit(tx, names, note?.schemaGrants ?? []);
        await sql.writeNote(tx, null);
        await this.open(tx, names, connections);
      });
    });
  }

  private async open(session: Session, { database }: TenantNames, connections: number): Promise<void> {
    await session.query(format('ALTER DATABASE %I CONNECTION LIMIT %s', database, connections));
  }

  /** Superusers alone pass a limit of 0; whoever is inside is sent away before anything else is done. */
  private async close(session: Session, { database }: TenantNames): Promise<void> {
    await session.query(format('ALTER DATABASE %I CONNECTION LIMIT 0', database));
    await this.endSessions(session, database);
  }

  private async endSessions(session: Session, database: string): Promise<void> {
    const others = `FROM pg_stat_activity
      WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;
    await session.query(`SELECT pg_terminate_backend(pid, ${SESSION_END_MS}) ${others}`, [database]);
    const left = await session.query(`SELECT pid ${others}`, [database]);
    if (left.length > 0) throw new Error(`${left.length} sessions in ${database} do not end.`);
  }
}
