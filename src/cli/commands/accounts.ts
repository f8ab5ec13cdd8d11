import type { Command } from 'commander';
import { clientFromEnv } from '../api-client.js';
import { printFacts } from '../output.js';

interface MadeAccount {
  id: string;
  email: string;
  token: string;
}

/** `souk accounts …`, for operators. */
export function addAccountCommands(program: Command): void {
  program
    .command('accounts')
    .description('make accounts (operators)')
    .command('create')
    .argument('<email>', 'e-mail address of the account')
    .option('-n, --name <name>', 'its display name')
    .option('--json', 'print JSON')
    .description('make an account with a first token, which is shown once')
    .action(async (email: string, { name, json }: { name?: string; json?: boolean }) => {
      const made = await clientFromEnv().post<MadeAccount>('/admin/accounts', { email, name });
      printFacts(made, json, () => made.token);
      if (json !== true)
        process.stderr.write(`That is the token of ${made.email}. Keep it: it is not shown again.\n`);
    });
}
