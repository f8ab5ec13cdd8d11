import { totalmem } from 'node:os';
import { ProviderError, type Logger, type Queryable, type ResourceStore } from '../../kit/index.js';
import type { Plan } from '../plans.js';

/** Kept free for this program, however many connections the tenants hold. */
export const RESERVED_CONNECTIONS = 20;
/** What this program itself holds when it has much to do, beside those. */
const OWN_CONNECTIONS = 30;

/** Creations that are counted at the same time must not all take the last place; the number names this lock only. */
const ADMISSION_LOCK = 7_311_901_479;
/** From this share on the operator is told at each creation. */
const NEARLY_FULL = 0.9;

/** What an idle session takes, its part of the shared tables included. */
const SESSION_BYTES = 4 * 1024 ** 2;

/** What this machine has, or the container where that has less: without a limit it says nothing, 0 or something huge. */
function memoryBytesHere(): number {
  const limit: number | undefined = process.constrainedMemory();
  return limit ? Math.min(totalmem(), limit) : totalmem();
}

/** As many connections as that memory carries when all of them idle. */
export function affordableConnections(memoryBytes: number = memoryBytesHere()): number {
  return Math.min(2_000, Math.max(300, Math.floor(memoryBytes / SESSION_BYTES)));
}

/** How much of the cluster's connections is sold. */
export interface Capacity {
  /** The sum of the limits of all databases. */
  sold: number;
  /** What may be sold: the connections that tenants can have at once, times the overcommit. */
  sellable: number;
}

export interface CapacityOptions {
  store: ResourceStore;
  plans: Plan[];
  overcommit: number;
  log: Logger;
}

/** Sells no more connections than the cluster can serve, overcommitted by a known factor. */
export class CapacityCheck {
  constructor(private readonly options: CapacityOptions) {}

  /** Called in the transaction that stores the new resource: of many at once, none slips past the limit. */
  async admit(tx: Queryable, plan: Plan): Promise<void> {
    const { log } = this.options;
    await tx.query('SELECT pg_advisory_xact_lock($1)', [ADMISSION_LOCK]);
    const { sold, sellable } = await this.measure(tx);
    const wanted = sold + plan.connections;
    if (wanted > sellable) {
      log.error({ sold, sellable }, 'a database was refused: every connection of the cluster is sold');
      throw new ProviderError(
        422,
        'cluster_full',
        'The shared cluster is full and takes no more databases; tell your operator, or destroy one that is not needed.',
      );
    }
    if (wanted > sellable * NEARLY_FULL)
      log.warn({ sold: wanted, sellable }, 'nearly every connection of the cluster is sold');
  }

  async measure(db: Queryable): Promise<Capacity> {
    const { store, plans, overcommit } = this.options;
    const [server] = await db.query<{ usable: string }>(
      `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int AS usable`,
    );
    let sold = 0;
    for (const [id, count] of await store.countByPlan(db))
      sold += count * (plans.find((plan) => plan.id === id)?.connections ?? 0);
    return { sold, sellable: Math.max(0, Number(server?.usable) - OWN_CONNECTIONS) * overcommit };
  }
}
