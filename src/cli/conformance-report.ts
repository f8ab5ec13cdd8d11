import { countVerdicts, isClean, type ConformanceReport, type RuleResult } from '../conformance/verdict.js';

const WORDS: Record<RuleResult['verdict'], string> = { pass: 'PASS', fail: 'FAIL', skip: 'SKIP' };

/** One rule as a person reads it; a failure with what was sent, what came back, and how to mend it. */
export function resultText(result: RuleResult): string {
  const lines = [`${WORDS[result.verdict]}  ${result.id}: ${result.title} (${result.durationMs} ms)`];
  if (result.reason !== null) lines.push(`      ${result.reason}`);
  for (const { sent, received } of result.exchanges)
    lines.push(`      sent       ${sent}`, `      came back  ${received}`);
  if (result.mend !== null)
    lines.push(`      rule       ${result.source}`, `      mend it    ${result.mend}`);
  for (const warning of result.warnings) lines.push(`      warning    ${warning}`);
  return lines.join('\n');
}

/** What stands under the list. */
export function summaryText(report: ConformanceReport): string {
  const { pass, fail, skip } = countVerdicts(report.results);
  const lines = [
    '',
    `${pass} passed, ${fail} failed, ${skip} skipped in ${(report.durationMs / 1_000).toFixed(1)} s.`,
  ];
  if (report.leftovers.length > 0) {
    lines.push('', 'These resources may still be at the provider; delete them by hand:');
    for (const { uuid, ids, why } of report.leftovers)
      lines.push(`  ${uuid}${ids.length === 0 ? '' : ` (id ${ids.join(', ')})`}: ${why}`);
  }
  lines.push(verdictOf(report, fail));
  return lines.join('\n');
}

function verdictOf(report: ConformanceReport, failed: number): string {
  if (report.interrupted) return 'The test was broken off.';
  if (failed > 0) return 'The provider does not conform.';
  if (!isClean(report)) return 'The rules hold, but resources were left behind.';
  return report.complete ? 'The provider conforms.' : 'The rules that were asked for hold.';
}

/** The whole report for programs. */
export function presentReport(report: ConformanceReport): Record<string, unknown> {
  return {
    ok: isClean(report),
    service: report.service,
    base_url: report.baseUrl,
    started_at: report.startedAt.toISOString(),
    duration_ms: report.durationMs,
    complete: report.complete,
    interrupted: report.interrupted,
    counts: countVerdicts(report.results),
    rules: report.results.map(({ durationMs, ...result }) => ({ ...result, duration_ms: durationMs })),
    leftovers: report.leftovers,
  };
}
