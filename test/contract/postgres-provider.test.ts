import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { listTenants, providerClusterUrl } from '../../providers/postgres/inventory.js';
import { Bench, PASSWORD, type ProviderProcess } from '../../providers/postgres/spec-support.js';
import { runSouk } from '../support/souk-process.js';

const bench = new Bench();
const scratch = mkdtempSync(join(tmpdir(), 'souk-contract-'));
let home: string;
let provider: ProviderProcess;

beforeAll(async () => {
  home = await bench.home();
  provider = await bench.start({ SOUK_HOME: home });
});
afterAll(async () => {
  await bench.clear();
  rmSync(scratch, { recursive: true, force: true });
});

it('the bundled Postgres provider conforms, and nothing is left in it', async () => {
  const tenants = async () => listTenants(await providerClusterUrl(home));
  const before = await tenants();
  const { code, output } = await runSouk(
    [
      'provider',
      'test',
      'providers/postgres/addon-manifest.json',
      '--base-url',
      `http://127.0.0.1:${provider.port}/heroku/resources`,
    ],
    { SOUK_HOME: scratch, SOUK_PROVIDER_PASSWORD: PASSWORD },
  );
  const lines = output.split('\n').map((line) => line.split(':')[0] ?? '');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('FAIL')),
    [],
    output,
  );
  // It answers at once and has no sign-on, no actions and no drains: nothing else may be skipped.
  assert.deepEqual(
    lines.filter((line) => line.startsWith('SKIP')),
    [
      'async-callback',
      'async-lost-answer',
      'sso-good',
      'sso-bad-token',
      'sso-stale',
      'action-run',
      'action-repeat',
      'action-unknown',
      'drain-url',
      'drain-frame',
      'drain-repeat',
      'drain-closed',
    ].map((id) => `SKIP  ${id}`),
    output,
  );
  assert.ok(!output.includes('warning'), output);
  assert.match(output, /The provider conforms\./);
  assert.equal(code, 0, output);
  assert.deepEqual(await tenants(), before);
});
