import { Redis } from 'ioredis';
import pg from 'pg';
import type { Secret } from '../../kernel/secret.js';
import type { Check } from './check.js';

const POSTGRES_MIN_MAJOR = 14;

/** Whether the PostgreSQL of `DATABASE_URL` can carry the broker. */
export async function checkDatabase(url: Secret): Promise<Check> {
  const name = 'DATABASE_URL';
  const client = new pg.Client({ connectionString: url.reveal(), connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; number: number; creates: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
              has_schema_privilege(current_schema(), 'CREATE') AS creates`,
    );
    const [row] = rows;
    if (row === undefined || row.number < POSTGRES_MIN_MAJOR * 10_000)
      return {
        name,
        verdict: 'bad',
        found: `PostgreSQL ${row?.version ?? '?'}`,
        fix: `Use PostgreSQL ${POSTGRES_MIN_MAJOR} or newer.`,
      };
    if (!row.creates)
      return {
        name,
        verdict: 'bad',
        found: 'the user may not create tables',
        fix: 'Make the user the owner of its database.',
      };
    return { name, verdict: 'good', found: `PostgreSQL ${row.version}` };
  } catch (error) {
    return {
      name,
      verdict: 'bad',
      found: reason(error),
      fix: 'Check the address, the user and the password in DATABASE_URL.',
    };
  } finally {
    await client.end();
  }
}

/** Whether the Redis of `REDIS_URL` can carry the queue: BullMQ wants 6.2, and loses jobs where keys are evicted. */
export async function checkRedis(url: Secret): Promise<Check> {
  const name = 'REDIS_URL';
  const redis = new Redis(url.reveal(), {
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  });
  // The client throws only that it is closed; what closed it comes as an event.
  let cause: unknown;
  redis.on('error', (error: unknown) => (cause ??= error));
  try {
    await redis.connect();
    const info = await redis.info();
    const version = /redis_version:(\d+)\.(\d+)/.exec(info);
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? 'unknown';
    const found = `${/redis_version:(\S+)/.exec(info)?.[1] ?? '?'}, eviction ${policy}`;
    const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
    if (major < 6 || (major === 6 && minor < 2))
      return { name, verdict: 'bad', found, fix: 'Use Redis 6.2 or newer, or Valkey.' };
    if (policy !== 'noeviction')
      return {
        name,
        verdict: 'gap',
        found,
        fix: 'Set maxmemory-policy to noeviction: evicted jobs are late.',
      };
    return { name, verdict: 'good', found };
  } catch (error) {
    return {
      name,
      verdict: 'bad',
      found: reason(cause ?? error),
      fix: 'Check the address and the password in REDIS_URL.',
    };
  } finally {
    redis.disconnect();
  }
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text !== '') return text;
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : 'no connection';
}
