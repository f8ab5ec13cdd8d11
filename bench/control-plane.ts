import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { BareQueue } from './bare-queue.js';
import { report } from './report.js';
import { ROOT, type Rig } from './rig.js';
import { median, percentile } from './stats.js';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 6);
const WARM_UP_SECONDS = Math.min(2, SECONDS);
const TURNS = 3;
const CONCURRENT = [1, 32];
/** As many customers do: more apps than requests at once, so that no app has hundreds of add-ons nor all wait for one. */
const APPS = 64;
const SETTLE_MS = 120_000;

const SLUG = 'bench-instant';
const GOALS: Record<number, string> = {
  1: 'Goal: p50 at most 15 ms, p99 at most 60 ms.',
  32: 'Goal: at least 150 provisions/s.',
};

interface Subject {
  name: string;
  /** One round trip, until its end is known. */
  work: () => Promise<void>;
  /** Before each turn, and after it: what one turn leaves behind must not slow the next. */
  before?: () => Promise<void>;
  after?: () => Promise<void>;
  /** Round trips per second, one for each turn. */
  rates: number[];
  /** Of all turns, in milliseconds. */
  latencies: number[];
}

/**
 * What Souk itself costs: `POST addon` with a provider that answers at once, until `provisioned`, beside one row written
 * to PostgreSQL and one job through BullMQ on the same engines. In turn, so that whatever else the machine does meets all.
 */
export async function benchControlPlane(rig: Rig): Promise<void> {
  const provider = await startInstantProvider(rig);
  const pool = new pg.Pool({ connectionString: rig.cluster.adminUrl, max: Math.max(...CONCURRENT) });
  await pool.query('CREATE TABLE IF NOT EXISTS bare_inserts (id uuid PRIMARY KEY, value jsonb NOT NULL)');
  const queue = await BareQueue.open(rig, Math.max(...CONCURRENT));
  const apps = new BenchApps(rig, provider);
  try {
    for (const concurrent of CONCURRENT)
      await compare(concurrent, [
        insertRows(pool),
        {
          name: `bare BullMQ on ${queue.on}, add + process`,
          work: () => queue.roundTrip(),
          rates: [],
          latencies: [],
        },
        apps.subject(),
      ]);
  } finally {
    await apps.remove();
    await queue.close();
    await pool.end();
  }
}

async function compare(concurrent: number, subjects: Subject[]): Promise<void> {
  for (const subject of subjects) await takeTurn(subject, concurrent, WARM_UP_SECONDS);
  for (const subject of subjects) [subject.rates, subject.latencies] = [[], []];
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const subject of subjects) await takeTurn(subject, concurrent, SECONDS);
  const [, queue] = subjects;
  report(
    `Provisioning with an instant provider, ${concurrent} at a time (${TURNS} turns of ${SECONDS} s, rate: their median)`,
    GOALS[concurrent] ?? '',
    ['P99', 'PER SECOND', 'COUNT', 'OF BULLMQ'],
    subjects.map(({ name, rates, latencies }) => ({
      name: `${name}, p50`,
      value: percentile(latencies, 0.5),
      unit: 'ms',
      facts: [
        `${percentile(latencies, 0.99).toFixed(1)} ms`,
        median(rates).toFixed(median(rates) < 100 ? 1 : 0),
        String(latencies.length),
        timesAsLong(latencies, queue),
      ],
    })),
  );
}

function timesAsLong(latencies: number[], other: Subject | undefined): string {
  return (percentile(latencies, 0.5) / percentile(other?.latencies ?? [], 0.5)).toFixed(2);
}

/** So many callers, each of whom begins again when it has its answer. The time until the last answer counts. */
async function takeTurn(subject: Subject, concurrent: number, seconds: number): Promise<void> {
  await subject.before?.();
  const began = performance.now();
  let done = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() - began < seconds * 1_000) {
      const sent = performance.now();
      await subject.work();
      done += 1;
      subject.latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, caller));
  subject.rates.push((done / (performance.now() - began)) * 1_000);
  await subject.after?.();
}

function insertRows(pool: pg.Pool): Subject {
  const value = JSON.stringify({ plan: `${SLUG}:basic`, state: 'provisioning' });
  return {
    name: 'bare pg insert of one row',
    rates: [],
    latencies: [],
    work: async () => {
      await pool.query('INSERT INTO bare_inserts VALUES ($1, $2)', [randomUUID(), value]);
    },
  };
}

/** The apps of one turn. They go with all their add-ons when it ends, and the next begins when the provider has none. */
class BenchApps {
  private names: string[] = [];
  private next = 0;

  constructor(
    private readonly rig: Rig,
    private readonly providerUrl: string,
  ) {}

  subject(): Subject {
    return {
      name: 'Souk, POST addon until provisioned',
      rates: [],
      latencies: [],
      before: () => this.make(),
      after: () => this.remove(),
      work: () => this.provision(),
    };
  }

  private async make(): Promise<void> {
    const turn = randomBytes(4).toString('hex');
    for (let index = 0; index < APPS; index += 1) {
      const name = `bench-${turn}-${index}`;
      await this.rig.call('POST', '/apps', { name });
      this.names.push(name);
    }
  }

  async remove(): Promise<void> {
    for (let name = this.names.pop(); name !== undefined; name = this.names.pop())
      await this.rig.call('DELETE', `/apps/${name}`);
    const deadline = AbortSignal.timeout(SETTLE_MS);
    for (;;) {
      deadline.throwIfAborted();
      const { held } = (await (await fetch(this.providerUrl)).json()) as { held: number };
      if (held === 0) return;
      await wait(100);
    }
  }

  private async provision(): Promise<void> {
    const app = this.names[this.next++ % APPS] ?? '';
    const addon = await this.rig.call<{ state: string }>('POST', `/apps/${app}/addons`, {
      plan: `${SLUG}:basic`,
    });
    if (addon.state !== 'provisioned') throw new Error(`the add-on is ${addon.state} when the answer comes`);
  }
}

/** Starts the provider and publishes it, as a third party would. */
async function startInstantProvider(rig: Rig): Promise<string> {
  const url = `http://127.0.0.1:${rig.providerPort}`;
  rig.spawn([join(ROOT, 'dist', 'bench', 'instant-provider.js')], { PORT: String(rig.providerPort) });
  await rig.waitFor(url);
  await rig.call('POST', `/api/v3/addons/${SLUG}/manifests`, {
    contents: {
      id: SLUG,
      name: 'Instant',
      api: {
        version: '3',
        config_vars_prefix: 'INSTANT',
        config_vars: ['INSTANT_URL'],
        password: randomBytes(16).toString('hex'),
        sso_salt: randomBytes(16).toString('hex'),
        regions: ['us'],
        requires: ['many_per_app'],
        production: { base_url: `${url}/resources`, sso_url: `${url}/sso` },
      },
      plans: [{ id: 'basic', name: 'Basic', price: { cents: 0 }, default: true }],
    },
  });
  return url;
}
