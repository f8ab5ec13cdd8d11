import { InvalidArgumentError, type Command } from 'commander';
import { clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

interface Authorization {
  id: string;
  description: string;
  scope: string[];
  access_token: { token: string; expires_in: number | null };
  created_at: string;
}

interface CreateOptions {
  description: string;
  scope?: string[];
  expiresInDays?: number;
  json?: boolean;
}

/** `souk tokens …`: the caller's own tokens. */
export function addTokenCommands(program: Command): void {
  const tokens = program.command('tokens').description('make, list and revoke your tokens');
  tokens
    .command('create')
    .description('make a token; it is shown once')
    .option('-d, --description <text>', 'what it is for', 'token')
    .option('-s, --scope <scope...>', 'what it may do (default: all that you may)')
    .option('--expires-in-days <days>', 'when it stops working', wholeDays)
    .option('--json', 'print JSON')
    .action(async (options: CreateOptions) => {
      const made = await clientFromEnv().post<Authorization>('/oauth/authorizations', {
        description: options.description,
        scope: options.scope,
        expires_in: options.expiresInDays === undefined ? undefined : options.expiresInDays * 86_400,
      });
      printFacts(made, options.json, () => made.access_token.token);
      if (options.json !== true) process.stderr.write('Keep it: it is not shown again.\n');
    });
  tokens
    .command('list')
    .description('list your tokens, without their text')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const known = await clientFromEnv().get<Authorization[]>('/oauth/authorizations');
      printFacts(known, json, () =>
        table(
          ['ID', 'DESCRIPTION', 'SCOPES', 'EXPIRES IN', 'MADE'],
          known.map((one) => [
            one.id,
            one.description,
            one.scope.join(' '),
            one.access_token.expires_in === null
              ? 'never'
              : `${Math.ceil(one.access_token.expires_in / 86_400)} days`,
            localTime(one.created_at),
          ]),
        ),
      );
    });
  tokens
    .command('revoke')
    .argument('<id>', 'id of the token')
    .description('make a token stop working, at once')
    .action(async (id: string) => {
      await clientFromEnv().delete(`/oauth/authorizations/${encodeURIComponent(id)}`);
      process.stderr.write(`Revoked ${id}.\n`);
    });
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1)
    throw new InvalidArgumentError('Give a whole number of days, 1 or more.');
  return days;
}
