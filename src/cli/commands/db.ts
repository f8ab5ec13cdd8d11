import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { startPostgres } from '../../../providers/engines/index.js';
import { Clock } from '../../kernel/clock.js';
import { readSettings, type Settings } from '../../kernel/config.js';
import { createDataSource, migrate, migrationsFolder } from '../../kernel/db/data-source.js';
import { claimHome, makeHome } from '../../roots/bring-up.js';
import { TerminalProgress } from '../terminal-progress.js';

/** `souk db …`: the broker's schema. */
export function addDbCommands(program: Command): void {
  const db = program.command('db').description("the broker's schema");
  db.command('migrate')
    .description('bring the schema up to date (the server does so by itself when it starts)')
    .action(migrateNow);
  db.command('new')
    .argument('<name>', 'words that say what it does, e.g. addon-labels', kebabCase)
    .description('make an empty migration')
    .action((name: string) => {
      const stamp = new Clock().now().getTime();
      const file = join(migrationsFolder(), `${stamp}-${name}.sql`);
      writeFileSync(file, '-- Forward only. Constraints have names; a merged migration is never changed.\n', {
        flag: 'wx',
      });
      process.stdout.write(`${file}\n`);
    });
}

async function migrateNow(): Promise<void> {
  const settings = readSettings(process.env, process.cwd());
  const progress = new TerminalProgress();
  const own = settings.databaseUrl === null ? await startOwnPostgres(settings, progress) : null;
  progress.step('Migrating');
  const source = createDataSource(settings.databaseUrl?.reveal() ?? own?.url ?? '', [], 2);
  try {
    await source.initialize();
    const done = await migrate(source);
    progress.done(
      done.length === 0 ? 'The schema is up to date.' : `Ran ${done.length}: ${done.join(', ')}.`,
    );
  } finally {
    progress.fail();
    if (source.isInitialized) await source.destroy();
    await own?.stop();
  }
}

/** For this command alone: a whole Souk on that folder is refused, and a server that others started is left to them. */
async function startOwnPostgres(
  settings: Settings,
  progress: TerminalProgress,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const home = makeHome(settings);
  const release = await claimHome(home);
  try {
    const cluster = await startPostgres({
      home,
      name: 'broker',
      progress: (sentence) => progress.step(sentence),
    });
    const stop = async () => {
      if (!cluster.adopted) await cluster.stop();
      await release();
    };
    return { url: cluster.adminUrl, stop };
  } catch (error) {
    await release();
    throw error;
  }
}

function kebabCase(name: string): string {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    throw new InvalidArgumentError('Use lower-case words joined by dashes.');
  return name;
}
