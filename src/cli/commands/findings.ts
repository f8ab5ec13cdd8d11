import type { Command } from 'commander';
import type { FindingResource } from '../../api/admin/operator-resources.js';
import { clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

type Finding = FindingResource & {
  addon: { id: string } | null;
  provider: { resource: string | null } | null;
};

/** `souk findings …`: what could not be settled (operators). */
export function addFindingCommands(program: Command): void {
  const findings = program
    .command('findings')
    .description("what could not be settled and wants a person's eye (operators)");
  findings
    .command('list', { isDefault: true })
    .option('--state <state>', 'open, resolved or all', 'open')
    .option('--json', 'print JSON')
    .description('list findings, oldest first')
    .action(async ({ state, json }: { state: string; json?: boolean }) => {
      const found = await clientFromEnv().get<Finding[]>(
        `/admin/findings?${new URLSearchParams({ state }).toString()}`,
        'created_at ..; max=1000',
      );
      printFacts(found, json, () => listText(found, state));
    });
  findings
    .command('close')
    .argument('<id>', 'id of the finding')
    .requiredOption('-r, --reason <text>', 'what became of it; the audit trail keeps it')
    .option('--json', 'print JSON')
    .description('close a finding that you have looked at')
    .action(async (id: string, { reason, json }: { reason: string; json?: boolean }) => {
      const closed = await clientFromEnv().post<Finding>(`/admin/findings/${encodeURIComponent(id)}/close`, {
        reason,
      });
      printFacts(closed, json, () => `Closed ${closed.id} (${closed.kind}): ${closed.resolution ?? ''}`);
    });
}

function listText(findings: Finding[], state: string): string {
  if (findings.length === 0) return state === 'open' ? 'No open findings.' : 'No such findings.';
  return table(
    ['ID', 'KIND', 'ADD-ON', 'SINCE', 'DETAIL', 'CLOSED', 'BY', 'RESOLUTION'],
    findings.map((one) => [
      one.id,
      one.kind,
      one.addon?.id ?? one.provider?.resource ?? '',
      localTime(one.created_at),
      one.detail,
      localTime(one.resolved_at),
      one.resolved_by ?? '',
      one.resolution ?? '',
    ]),
  );
}
