import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ok } from '../support/api.js';
import { folderOfGit } from '../support/git.js';
import { OwnSouk } from '../support/own-souk.js';

/** The real `heroku` CLI, unmodified, pointed here by nothing but what `souk cli-env` prints. */
const CLI = 'node_modules/heroku/bin/run.js';

let souk: OwnSouk;
let scratch: string;
let environment: Record<string, string>;
beforeAll(async () => {
  souk = new OwnSouk();
  await souk.start();
  const printed = await souk.run(['cli-env', '--json']);
  environment = JSON.parse(printed.output) as Record<string, string>;
  // The CLI edits the git configuration in HOME.
  scratch = mkdtempSync(join(tmpdir(), 'souk-heroku-'));
  environment.PATH = [process.env.PATH ?? '', await folderOfGit(scratch)].join(delimiter);
});
afterAll(async () => {
  await souk.remove();
  rmSync(scratch, { recursive: true, force: true });
});

interface Run {
  code: number;
  stdout: string;
  stderr: string;
  both: string;
}

function heroku(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...environment, HOME: scratch, NO_COLOR: '1' };
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({
          code: error === null ? 0 : Number(error.code ?? 1),
          stdout,
          stderr,
          both: stdout + stderr,
        });
      },
    );
    // Nobody is there to answer what it asks.
    child.stdin?.end();
  });
}

async function succeeds(...args: string[]): Promise<Run> {
  const run = await heroku(...args);
  assert.equal(run.code, 0, `heroku ${args.join(' ')}\n${run.both}`);
  return run;
}

async function fails(...args: string[]): Promise<Run> {
  const run = await heroku(...args);
  assert.notEqual(run.code, 0, `heroku ${args.join(' ')}\n${run.both}`);
  return run;
}

describe('the heroku CLI', () => {
  it('auth:whoami', async () => {
    assert.match((await succeeds('auth:whoami')).stdout, /^operator@souk\.localhost$/m);
  });

  it('apps:create, apps, apps:info', async () => {
    assert.match((await succeeds('apps:create', 'cli-shop')).both, /Creating.*cli-shop.*done/s);
    assert.match((await succeeds('apps')).stdout, /^cli-shop$/m);
    assert.match((await succeeds('apps:info', '-a', 'cli-shop')).stdout, /=== cli-shop/);
    const info = JSON.parse((await succeeds('apps:info', '-a', 'cli-shop', '--json')).stdout) as {
      app: { name: string };
    };
    assert.equal(info.app.name, 'cli-shop');
    assert.match((await fails('apps:create', 'cli-shop')).both, /Another app has this name already/);
    assert.match((await fails('apps:info', '-a', 'no-such-app')).both, /Couldn't find that app/);
  });

  it('config:set, config, config:get, config:unset, releases', async () => {
    assert.match(
      (await succeeds('config:set', 'A=1', 'B=two words', '-a', 'cli-shop')).both,
      /restarting.*v2/is,
    );
    assert.match((await succeeds('config', '-a', 'cli-shop')).stdout, /A:\s+1\nB:\s+two words/);
    assert.equal((await succeeds('config:get', 'B', '-a', 'cli-shop')).stdout, 'two words\n');
    await succeeds('config:unset', 'A', '-a', 'cli-shop');
    assert.deepEqual(JSON.parse((await succeeds('config', '--json', '-a', 'cli-shop')).stdout), {
      B: 'two words',
    });
    const releases = (await succeeds('releases', '-a', 'cli-shop')).stdout;
    for (const text of [
      'v3',
      'Remove A config var',
      'v2',
      'Set A, B config vars',
      'v1',
      'Initial release',
      'operator@souk.localhost',
    ])
      assert.ok(releases.includes(text), `${text}\n${releases}`);
    assert.match((await fails('config:set', '1A=x', '-a', 'cli-shop')).both, /cannot be a config var name/);
  });

  it('addons:services, addons:plans', async () => {
    assert.match((await succeeds('addons:services')).stdout, /souk-postgresql/);
    const plans = (await succeeds('addons:plans', 'souk-postgresql')).stdout;
    assert.match(plans, /souk-postgresql:essential-0.*\$5\/month/);
    assert.match(plans, /souk-postgresql:essential-1.*\$9\/month/);
  });

  it('addons:create, addons, addons:info, config:get: a DATABASE_URL that works', async () => {
    const created = await succeeds('addons:create', 'souk-postgresql:essential-0', '-a', 'cli-shop');
    assert.match(created.both, /Creating souk-postgresql:essential-0 on.*cli-shop.*\$5\/month/s);
    assert.match(created.both, /Created .* as DATABASE_URL/);
    const url = (await succeeds('config:get', 'DATABASE_URL', '-a', 'cli-shop')).stdout.trim();
    assert.match(url, /^postgres:\/\/.*@localhost:\d+\//);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    await client.end();
    assert.match(
      (await succeeds('addons', '-a', 'cli-shop')).stdout,
      /souk-postgresql.*essential-0.*\$5\/month.*created.*as DATABASE/s,
    );
    assert.match((await succeeds('addons', '--all')).stdout, /cli-shop/);
    const info = (await succeeds('addons:info', 'DATABASE', '-a', 'cli-shop')).stdout;
    assert.match(info, /Plan:\s+souk-postgresql:essential-0/);
    assert.match(info, /State:\s+created/);
    assert.match(info, /Attachments:\s+cli-shop::DATABASE/);
  });

  it('addons:upgrade, addons:downgrade: there and back, and what cannot be had', async () => {
    const [addon] = JSON.parse((await succeeds('addons', '-a', 'cli-shop', '--json')).stdout) as [
      { name: string },
    ];
    const quote = await souk.run(['quote', addon.name, 'souk-postgresql:essential-1']);
    assert.match(
      quote.output,
      /essential-0 to souk-postgresql:essential-1: upgrade\n.*4\.00 USD a month more/,
    );
    assert.match(quote.output, /Takes:\s+unknown, since this provider made no change yet/);
    const up = await succeeds('addons:upgrade', 'DATABASE', 'souk-postgresql:essential-1', '-a', 'cli-shop');
    assert.match(up.both, /from souk-postgresql:essential-0 to souk-postgresql:essential-1/);
    assert.match(up.both, /done, .*\$9\/month/);
    assert.match(up.both, /holds up to 10 GB/);
    assert.match((await succeeds('addons', '-a', 'cli-shop')).stdout, /essential-1.*\$9\/month/s);
    assert.match(
      (await souk.run(['quote', addon.name, 'essential-0'])).output,
      /downgrade\n.*4\.00 USD a month less\n.*cli-shop.*\n.*by the last 1 change of this provider/,
    );
    const down = await succeeds('addons:downgrade', 'souk-postgresql:essential-0', '-a', 'cli-shop');
    assert.match(down.both, /done, .*\$5\/month/);
    assert.match(
      (await succeeds('addons:info', 'DATABASE', '-a', 'cli-shop')).stdout,
      /Plan:\s+souk-postgresql:essential-0/,
    );
    const unknown = await fails('addons:upgrade', 'DATABASE', 'enormous', '-a', 'cli-shop');
    assert.match(unknown.both, /Couldn't find either the add-on service or the plan/);
    assert.match(unknown.both, /souk-postgresql:essential-0\s+souk-postgresql:essential-1/);
  });

  it('addons:create --wait --as --name', async () => {
    const created = await succeeds(
      'addons:create',
      'souk-postgresql:essential-1',
      '--wait',
      '--as',
      'REPORTS',
      '--name',
      'cli-reports-db',
      '-a',
      'cli-shop',
    );
    assert.match(created.both, /REPORTS_URL/);
    assert.match((await succeeds('config:get', 'REPORTS_URL', '-a', 'cli-shop')).stdout, /^postgres:/);
    assert.match(
      (await fails('addons:create', 'souk-postgresql', '--name', 'cli-reports-db', '-a', 'cli-shop')).both,
      /Another add-on has this name already/,
    );
    assert.match(
      (await fails('addons:create', 'souk-postgresql:enormous', '-a', 'cli-shop')).both,
      /Couldn't find the plan/,
    );
    assert.match(
      (await fails('addons:create', 'no-such-service', '-a', 'cli-shop')).both,
      /Couldn't find the add-on service/,
    );
  });

  it('access:add, access, apps:leave', async () => {
    const made = await souk.run(['accounts', 'create', 'colleague@souk.test', '--json']);
    const { token } = JSON.parse(made.output) as { token: string };
    await succeeds('access:add', 'colleague@souk.test', '-a', 'cli-shop');
    const access = (await succeeds('access', '-a', 'cli-shop')).stdout;
    assert.match(access, /colleague@souk\.test\s+collaborator/);
    assert.match(access, /operator@souk\.localhost\s+owner/);
    const own = environment;
    environment = { ...environment, HEROKU_API_KEY: token };
    try {
      await succeeds('apps:leave', '-a', 'cli-shop');
      assert.match((await fails('access', '-a', 'cli-shop')).both, /Couldn't find that app/);
    } finally {
      environment = own;
    }
  });

  it('access:remove', async () => {
    await succeeds('access:add', 'colleague@souk.test', '-a', 'cli-shop');
    await succeeds('access:remove', 'colleague@souk.test', '-a', 'cli-shop');
    assert.deepEqual(ok(await souk.api.get<unknown[]>('/apps/cli-shop/collaborators')).length, 1);
    assert.match(
      (await fails('access:add', 'nobody@souk.test', '-a', 'cli-shop')).both,
      /There is no account with this e-mail address/,
    );
  });

  const varsOf = async (app: string) =>
    ok(await souk.api.get<Record<string, string>>(`/apps/${app}/config-vars`));

  it('addons:attach --as', async () => {
    ok(await souk.api.post('/apps', { name: 'cli-second' }));
    const attached = await succeeds('addons:attach', 'cli-reports-db', '--as', 'STATS', '-a', 'cli-second');
    assert.match(attached.both, /Attaching cli-reports-db as STATS to.*cli-second.*done, v2/s);
    assert.equal((await varsOf('cli-second')).STATS_URL, (await varsOf('cli-shop')).REPORTS_URL);
    assert.match((await succeeds('addons', '-a', 'cli-second')).stdout, /STATS/);
    assert.match((await succeeds('addons:info', 'cli-reports-db')).stdout, /cli-second::STATS/);
  });

  it('addons:attach --confirm, where the name is taken', async () => {
    const all = ok(await souk.api.get<{ name: string }[]>('/apps/cli-shop/addons'));
    const name = all.find((one) => one.name !== 'cli-reports-db')?.name ?? '';
    const asked = await heroku('addons:attach', name, '--as', 'STATS', '-a', 'cli-second');
    assert.match(asked.both, /has\s+cli-reports-db\s+attached\s+as\s+STATS/);
    await succeeds('addons:attach', name, '--as', 'STATS', '-a', 'cli-second', '--confirm', 'cli-second');
    assert.equal((await varsOf('cli-second')).STATS_URL, (await varsOf('cli-shop')).DATABASE_URL);
  });

  it('addons:detach', async () => {
    const detached = await succeeds('addons:detach', 'STATS', '-a', 'cli-second');
    assert.match(detached.both, /Unsetting STATS.*done, v4/s);
    assert.deepEqual(await varsOf('cli-second'), {});
  });

  it('addons:open leads to a page that says what opens', async () => {
    const address = (await succeeds('addons:open', 'DATABASE', '-a', 'cli-shop', '--show-url')).stdout.trim();
    assert.match(address, /\/sso\/[0-9a-f-]{36}\?ticket=/);
    const page = await fetch(address, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 422);
    assert.match(await page.text(), /souk-postgresql have no dashboard/);
  });

  it('addons:destroy asks --force for what another app has', async () => {
    ok(await souk.api.post('/addon-attachments', { addon: 'cli-reports-db', app: 'cli-second' }));
    assert.match(
      (await fails('addons:destroy', 'cli-reports-db', '--confirm', 'cli-shop', '-a', 'cli-shop')).both,
      /attached\s+to\s+cli-second\s+too/,
    );
  });

  it('addons:destroy --force', async () => {
    const url = (await succeeds('config:get', 'REPORTS_URL', '-a', 'cli-shop')).stdout.trim();
    assert.match(
      (
        await succeeds(
          'addons:destroy',
          'cli-reports-db',
          '--confirm',
          'cli-shop',
          '-a',
          'cli-shop',
          '--force',
        )
      ).both,
      /Destroying cli-reports-db.*done/s,
    );
    assert.equal((await succeeds('config:get', 'REPORTS_URL', '-a', 'cli-shop')).stdout.trim(), '');
    assert.deepEqual(await varsOf('cli-second'), {});
    ok(await souk.api.delete('/apps/cli-second'));
    const client = new pg.Client({ connectionString: url });
    await assert.rejects(client.connect());
    assert.match((await fails('addons:info', 'cli-reports-db', '-a', 'cli-shop')).both, /Couldn't find/);
  });

  it('apps:destroy takes the add-ons along', async () => {
    assert.match(
      (await succeeds('apps:destroy', '-a', 'cli-shop', '--confirm', 'cli-shop')).both,
      /Destroying.*cli-shop.*done/s,
    );
    assert.doesNotMatch((await succeeds('apps')).stdout, /cli-shop/);
    assert.doesNotMatch((await succeeds('addons', '--all')).stdout, /souk-postgresql/);
  });

  it('a token that is none', async () => {
    const known = environment;
    environment = { ...environment, HEROKU_API_KEY: 'wrong' };
    try {
      assert.match((await fails('apps')).both, /invalid/i);
    } finally {
      environment = known;
    }
  });
});
