import type { Command } from 'commander';
import type { ChainReport } from '../../audit/audit-chain.js';
import { clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

interface Finding {
  id: string;
  kind: string;
  addon: { id: string | null };
  detail: unknown;
  created_at: string;
}

/** `souk audit verify` and `souk findings`, for operators. */
export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('the audit trail (operators)')
    .command('verify')
    .option('--json', 'print JSON')
    .description("walk the audit trail's hash chain and say whether it is whole")
    .action(async ({ json }: { json?: boolean }) => {
      const report = await clientFromEnv().get<ChainReport>('/admin/audit/verify');
      printFacts(report, json, () =>
        report.ok
          ? `The chain is whole: ${report.sealed} events.`
          : `The chain is broken at event ${report.at}, after ${report.sealed} good ones: ${report.why}.`,
      );
      if (!report.ok) process.exitCode = 1;
    });
  program
    .command('findings')
    .option('--json', 'print JSON')
    .description("list what could not be settled and wants a person's eye (operators)")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await clientFromEnv().get<Finding[]>('/admin/findings');
      printFacts(findings, json, () =>
        findings.length === 0
          ? 'No open findings.'
          : table(
              ['KIND', 'ADD-ON', 'SINCE', 'DETAIL'],
              findings.map((one) => [
                one.kind,
                one.addon.id ?? '',
                localTime(one.created_at),
                JSON.stringify(one.detail),
              ]),
            ),
      );
    });
}
