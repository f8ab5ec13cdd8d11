import { describeError, type Database, type Logger, type Session } from '../../kit/index.js';
import { TENANT_DATABASE } from './names.js';

const LOOK_MS = 250;

/**
 * Does the work while sessions of tenants that hold it up are ended. A tenant can lock another's roles for as long as
 * its transaction lasts (`GRANT … TO` them), or its own; that must not keep a delete waiting.
 */
export async function unblocked<T>(
  database: Database,
  session: Session,
  log: Logger,
  work: () => Promise<T>,
): Promise<T> {
  const [own] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  let busy = false;
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    // A look that is slow has no second one behind it, which the work would have to wait for at its end.
    if (busy) return;
    busy = true;
    looking = endBlockers(database, own?.pid ?? 0, log)
      // The work's own lock time-out still ends the wait.
      .catch((error: unknown) =>
        log.warn({ error: describeError(error) }, 'what holds up a delete is unknown'),
      )
      .finally(() => (busy = false));
  }, LOOK_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await looking;
  }
}

async function endBlockers(database: Database, pid: number, log: Logger): Promise<void> {
  const ended = await database.query<{ pid: number; database: string }>(
    `SELECT a.pid, a.datname AS database, pg_terminate_backend(a.pid)
     FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid AND NOT r.rolsuper
     WHERE a.pid = ANY (pg_blocking_pids($1)) AND a.datname ~ $2 AND a.backend_type = 'client backend'`,
    [pid, TENANT_DATABASE],
  );
  for (const one of ended) log.info(one, 'a session held up a delete and was ended');
}
