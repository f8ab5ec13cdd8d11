import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { percentile } from './stats.js';
import { report, type Measure } from './report.js';
import type { Rig } from './rig.js';

const WARM_UP = 5;
const ROUNDS = Number(process.env.BENCH_PROVISIONS ?? 60);

/** End to end: `POST addon` until the config var can be read, beside raw `CREATE ROLE` + `CREATE DATABASE`, in turn. */
export async function benchProvisioning(rig: Rig): Promise<void> {
  const admin = new pg.Client({ connectionString: rig.cluster.adminUrl });
  await admin.connect();
  await rig.call('POST', '/apps', { name: 'bench-provision' });
  const raw: number[] = [];
  const souk: number[] = [];
  try {
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      // In turn, so that whatever else the machine does meets both alike.
      const rawMs = await timed(() => createByHand(admin));
      const soukMs = await timed(() => createByApi(rig));
      if (round < 0) continue;
      raw.push(rawMs);
      souk.push(soukMs);
    }
  } finally {
    await admin.end();
    await rig.call('DELETE', '/apps/bench-provision');
  }
  report(
    `Provisioning a shared Postgres plan, one at a time (${ROUNDS} of each, in turn)`,
    'Goal: at most 1.3 times raw CREATE ROLE + CREATE DATABASE on the same cluster.',
    ['P99', 'P99 RATIO'],
    [measure('raw SQL', raw, raw), measure('Souk, end to end', souk, raw)],
  );
}

function measure(name: string, samples: number[], baseline: number[]): Measure {
  const p99 = percentile(samples, 0.99);
  return {
    name: `${name}, p50`,
    value: percentile(samples, 0.5),
    unit: 'ms',
    facts: [`${p99.toFixed(1)} ms`, (p99 / percentile(baseline, 0.99)).toFixed(2)],
  };
}

/** What an operator would type, with the same privacy as the provider gives. */
async function createByHand(admin: pg.Client): Promise<void> {
  const name = `raw_${randomBytes(8).toString('hex')}`;
  await admin.query(
    `CREATE ROLE ${name} LOGIN PASSWORD '${randomBytes(16).toString('hex')}' CONNECTION LIMIT 20`,
  );
  await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
  await admin.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
}

async function createByApi(rig: Rig): Promise<void> {
  const addon = await rig.call<{ config_vars: string[] }>('POST', '/apps/bench-provision/addons', {
    plan: 'souk-postgresql:essential-0',
  });
  const vars = await rig.call<Record<string, string>>('GET', '/apps/bench-provision/config-vars');
  if (!addon.config_vars.every((name) => vars[name]?.startsWith('postgres://') === true))
    throw new Error('the config var cannot be read yet');
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
