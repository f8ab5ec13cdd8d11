import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../providers/engines/index.js';
import { report } from './report.js';
import { ROOT, type Rig } from './rig.js';
import { median } from './stats.js';

const run = promisify(execFile);
const CONNECTIONS = 16;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 6);
const TURNS = 3;

interface Load {
  requests: { average: number };
  latency: { p50: number; p99: number };
  non2xx: number;
  errors: number;
}

/** Config vars of an app (authenticated, decrypted, audited) beside a bare route that reads one row of the same size. */
export async function benchConfigReads(rig: Rig): Promise<void> {
  const vars = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`SETTING_${index}`, `value number ${index}`]),
  );
  await rig.call('POST', '/apps', { name: 'bench-config' });
  await rig.call('PATCH', '/apps/bench-config/config-vars', vars);
  const bareUrl = await startBareRoute(rig, JSON.stringify(vars));
  const targets = [
    { name: 'bare NestJS route, one row', url: `${bareUrl}/row`, loads: [] as Load[] },
    {
      name: 'GET /apps/:app/config-vars',
      url: `${rig.url}/apps/bench-config/config-vars`,
      loads: [] as Load[],
    },
  ];
  for (const { url } of targets) await load(url, rig.token, 2);
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const target of targets) target.loads.push(await load(target.url, rig.token, SECONDS));
  await rig.call('DELETE', '/apps/bench-config');
  report(
    `Reading config vars (${CONNECTIONS} connections, median of ${TURNS} turns of ${SECONDS} s)`,
    'Goal: at least 0.7 times the rate of the bare route.',
    ['P50', 'P99'],
    targets.map(({ name, loads }) => ({
      name,
      value: median(loads.map(({ requests }) => requests.average)),
      unit: 'requests/s',
      facts: [
        `${median(loads.map(({ latency }) => latency.p50))} ms`,
        `${median(loads.map(({ latency }) => latency.p99))} ms`,
      ],
    })),
  );
}

async function startBareRoute(rig: Rig, value: string): Promise<string> {
  const port = await freePort();
  rig.spawn([join(ROOT, 'dist', 'bench', 'bare-route.js')], {
    PORT: String(port),
    BARE_DATABASE_URL: rig.cluster.adminUrl,
    BARE_VALUE: value,
  });
  const url = `http://127.0.0.1:${port}`;
  await rig.waitFor(`${url}/row`);
  return url;
}

/** The load comes from a process of its own, the same for both. */
async function load(url: string, token: string, seconds: number): Promise<Load> {
  const autocannon = join(ROOT, 'node_modules', 'autocannon', 'autocannon.js');
  const args = [
    '-j',
    '-n',
    '-c',
    String(CONNECTIONS),
    '-d',
    String(seconds),
    '-H',
    `authorization=Bearer ${token}`,
    url,
  ];
  const { stdout } = await run(process.execPath, [autocannon, ...args], { maxBuffer: 16 * 1024 * 1024 });
  const result = JSON.parse(stdout) as Load;
  if (result.non2xx + result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refusals, ${result.errors} errors`);
  return result;
}
