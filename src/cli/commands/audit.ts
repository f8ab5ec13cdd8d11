import type { Command } from 'commander';
import type { ChainReport } from '../../audit/audit-chain.js';
import { clientFromEnv } from '../api-client.js';
import { printFacts } from '../output.js';

/** `souk audit verify`, for operators. */
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
}
