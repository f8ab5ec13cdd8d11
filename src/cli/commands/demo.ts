import type { Command } from 'commander';
import { ApiClient, clientFromEnv } from '../api-client.js';
import { mask } from '../output.js';
import { runUntilSignal } from '../run-until-signal.js';
import { seedApp, type Seeded } from '../seed.js';
import type { TerminalProgress } from '../terminal-progress.js';
import { readCredentials } from '../../roots/credentials.js';
import type { Souk } from '../../roots/souk.js';
import { exportLines } from './cli-env.js';

const DEMO_APP = 'demo';

/** `souk demo`: everything from nothing, with an app that has its add-ons; and `souk seed`, the app alone. */
export function addDemoCommands(program: Command): void {
  program
    .command('demo')
    .description('start everything on engines of its own, with an app "demo" that has its add-ons')
    .action(() =>
      // The screen is for the person who tries it; logs would bury what it says.
      runUntilSignal({ SOUK_LOG_LEVEL: 'error', ...process.env }, async (souk, progress) =>
        showDemo(souk, progress),
      ),
    );
  program
    .command('seed')
    .description('make an app "demo" with its add-ons on a server that runs')
    .action(async () => {
      const seeded = await seedApp(clientFromEnv(), DEMO_APP);
      process.stdout.write(`${describe(seeded)}\n`);
    });
}

async function showDemo(souk: Souk, progress: TerminalProgress): Promise<void> {
  const token = souk.config.admin?.token.reveal() ?? readCredentials(souk.config.home)?.token;
  if (token === undefined)
    throw new Error(
      'The demo needs an operator: set SOUK_ADMIN_EMAIL and SOUK_ADMIN_TOKEN, or leave DATABASE_URL unset.',
    );
  const target = { url: souk.config.publicUrl, token };
  const seeded = await seedApp(new ApiClient(target), DEMO_APP, (sentence) => progress.step(sentence));
  progress.done();
  process.stdout.write(
    [
      '',
      describe(seeded),
      ...souk.missing.map((sentence) => `Not available: ${sentence}`),
      '',
      `API and documentation: ${souk.config.publicUrl}/docs`,
      '',
      'To use it with the heroku CLI, paste this into another terminal, in this folder:',
      '',
      exportLines(target),
      '',
      `npx heroku config:get DATABASE_URL -a ${DEMO_APP}`,
      '',
      `Ctrl-C stops it; the next start goes on where this one ended. It is kept in ${souk.folders.join(', ')}.`,
      '',
    ].join('\n'),
  );
}

function describe({ app, addons, failed, config }: Seeded): string {
  return [
    `App ${app}`,
    ...addons.map((addon) => `  add-on ${addon.name} (${addon.plan}): ${addon.state}`),
    ...failed.map((one) => `  add-on ${one.service}: not provisioned: ${one.why}`),
    '  config vars',
    ...Object.entries(config).map(([name, value]) => `    ${name}=${mask(value)}`),
  ].join('\n');
}
