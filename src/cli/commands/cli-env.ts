import type { Command } from 'commander';
import { findTarget, type Target } from '../api-client.js';
import { printFacts } from '../output.js';

/**
 * What points the unmodified `heroku` CLI at this server. The data host is a bare name: the CLI takes scheme and
 * port from HEROKU_HOST. Telemetry and look-ups elsewhere are off, because the token would travel with some of them.
 */
function herokuEnvironment({ url, token }: Target): Record<string, string> {
  const { hostname } = new URL(url);
  return {
    HEROKU_HOST: url,
    HEROKU_API_KEY: token,
    HEROKU_PARTICLEBOARD_URL: url,
    HEROKU_DATA_HOST: hostname,
    PGDIAGNOSE_URL: hostname,
    HEROKU_LOGIN_HOST: url,
    DISABLE_TELEMETRY: 'true',
    HEROKU_SKIP_NEW_VERSION_CHECK: '1',
    HEROKU_DISABLE_AUTOUPDATE: '1',
    HEROKU_NOTIFICATIONS: '0',
    HEROKU_NETRC_WRITE: 'true',
    HEROKU_POSTGRESQL_ADDON_NAME: 'souk-postgresql',
    HEROKU_REDIS_ADDON_NAME: 'souk-redis',
  };
}

/** The CLI sends its token to these hosts only; others it silently replaces by its vendor's own. */
function isTrustedByCli(url: string): boolean {
  return ['127.0.0.1', 'localhost'].includes(new URL(url).hostname);
}

/** The lines to paste into a shell. */
export function exportLines(target: Target): string {
  return Object.entries(herokuEnvironment(target))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`)
    .join('\n');
}

/** `souk cli-env`. */
export function addCliEnvCommand(program: Command): void {
  program
    .command('cli-env')
    .description('print the exports that point the heroku CLI here: eval "$(npx souk cli-env)"')
    .option('--json', 'print them as JSON')
    .action(({ json }: { json?: boolean }) => {
      const target = findTarget(process.env, process.cwd());
      if (!isTrustedByCli(target.url))
        process.stderr.write(
          `The heroku CLI talks to localhost and 127.0.0.1 only, not to ${target.url}. Forward a local port to it (ssh -L 5000:localhost:5000 …) and set SOUK_URL=http://127.0.0.1:5000.\n`,
        );
      printFacts(herokuEnvironment(target), json, () => exportLines(target));
    });
}
