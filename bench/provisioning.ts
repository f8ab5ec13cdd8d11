import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { percentile } from './stats.js';
import { report, type Measure } from './report.js';
import type { Rig } from './rig.js';

const WARM_UP = 5;
/** Of fewer, the 99th percentile would be the slowest alone. */
const ROUNDS = Number(process.env.BENCH_PROVISIONS ?? 300);
/** Nobody has hundreds of databases in one app. */
const APPS = 10;
const P99_ROUNDS_MIN = 300;

/** End to end: `POST addon` until the config var can be read, beside raw `CREATE ROLE` + `CREATE DATABASE`, in turn. */
export async function benchProvisioning(rig: Rig): Promise<void> {
  const admin = new pg.Client({ connectionString: rig.cluster.adminUrl });
  await admin.connect();
  const apps = Array.from({ length: APPS }, (_, index) => `bench-provision-${index}`);
  for (const name of apps) await rig.call('POST', '/apps', { name });
  const raw: number[] = [];
  const souk: number[] = [];
  try {
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      // In turn, so that whatever else the machine does meets both alike.
      const rawMs = await timed(() => createByHand(admin));
      const app = apps[(round + WARM_UP) % APPS] ?? '';
      const soukMs = await timed(() => createByApi(rig, app));
      if (round < 0) continue;
      raw.push(rawMs);
      souk.push(soukMs);
    }
  } finally {
    await admin.end();
    for (const name of apps) await rig.call('DELETE', `/apps/${name}`);
  }
  report(
    `Provisioning a shared Postgres plan, one at a time (${ROUNDS} of each, in turn, in ${APPS} apps)`,
    'Goal: at most 1.3 times raw CREATE ROLE + CREATE DATABASE on the same cluster.',
    ROUNDS < P99_ROUNDS_MIN ? ['MAX', 'MAX RATIO'] : ['P99', 'P99 RATIO'],
    [measure('raw SQL', raw, raw), measure('Souk, end to end', souk, raw)],
  );
}

function measure(name: string, samples: number[], baseline: number[]): Measure {
  const share = ROUNDS < P99_ROUNDS_MIN ? 1 : 0.99;
  const worst = percentile(samples, share);
  return {
    name: `${name}, p50`,
    value: percentile(samples, 0.5),
    unit: 'ms',
    facts: [`${worst.toFixed(1)} ms`, (worst / percentile(baseline, share)).toFixed(2)],
  };
}

/** Nothing but the two statements: what Souk does beyond them, also for the privacy of a tenant, is on its own side. */
async function createByHand(admin: pg.Client): Promise<void> {
  const name = `raw_${randomBytes(8).toString('hex')}`;
  await admin.query(
    `CREATE ROLE ${name} LOGIN PASSWORD '${randomBytes(16).toString('hex')}' CONNECTION LIMIT 20`,
  );
  await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
}

async function createByApi(rig: Rig, app: string): Promise<void> {
  const addon = await rig.call<{ config_vars: string[] }>('POST', `/apps/${app}/addons`, {
    plan: 'souk-postgresql:essential-0',
  });
  const vars = await rig.call<Record<string, string>>('GET', `/apps/${app}/config-vars`);
  if (!addon.config_vars.every((name) => vars[name]?.startsWith('postgres://') === true))
    throw new Error('the config var cannot be read yet');
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
