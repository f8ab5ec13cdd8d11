import type { Command } from 'commander';
import { clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

interface Notice {
  key: string;
  severity: string;
  message: string;
  created_at: string;
  cleared_at: string | null;
}

/** `souk notices`: what providers have to say about an add-on, such as a storage quota that is nearly full. */
export function addNoticeCommands(program: Command): void {
  program
    .command('notices')
    .argument('<addon>', 'name or id of the add-on')
    .option('--json', 'print JSON')
    .description("list a provider's notices on an add-on, newest first")
    .action(async (addon: string, { json }: { json?: boolean }) => {
      const notices = await clientFromEnv().get<Notice[]>(`/addons/${encodeURIComponent(addon)}/notices`);
      printFacts(notices, json, () =>
        notices.length === 0
          ? 'No notices.'
          : table(
              ['SEVERITY', 'MESSAGE', 'SINCE', 'CLEARED'],
              notices.map((one) => [
                one.severity,
                one.message,
                localTime(one.created_at),
                localTime(one.cleared_at),
              ]),
            ),
      );
    });
}
