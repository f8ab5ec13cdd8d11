import { answersSoon, Database, describeError, type Logger } from '../kit/index.js';
import type { Cluster } from './engine/cluster.js';

/** This program's connections to its own database on the cluster, apart by purpose so that no purpose starves another. */
export interface Databases {
  /** Resources, notices, quota levels; a request holds one connection while it works. */
  own: Database;
  /** Building and dropping. */
  engine: Database;
  /** Health and the watchdog, which must never wait behind a queue of requests. */
  watch: Database;
  close(): Promise<void>;
}

/** Opens them; each follows the cluster to another address. */
export function openDatabases(cluster: Cluster, name: string, log: Logger): Databases {
  const open = (purpose: string, connectionsMax: number, statementTimeoutMs: number): Database => {
    const database = new Database(
      {
        url: cluster.adminUrl(name),
        applicationName: `souk-postgres-${purpose}`,
        connectionsMax,
        statementTimeoutMs,
        lockTimeoutMs: 15_000,
      },
      (error) => log.warn({ purpose, error: describeError(error) }, 'an idle connection was lost'),
    );
    cluster.onMoved(() => database.repoint(cluster.adminUrl(name)));
    return database;
  };
  const [own, engine, watch] = [open('own', 12, 60_000), open('engine', 8, 60_000), open('watch', 5, 5_000)];
  return {
    own,
    engine,
    watch,
    close: async () => {
      await Promise.all([own.close(), engine.close(), watch.close()]);
    },
  };
}

/** True when the cluster and our schema answer, and do so soon. */
export function isHealthy({ watch }: Databases): Promise<boolean> {
  return answersSoon(watch);
}
