import junit, { type Builder, type TestSuite } from 'junit-report-builder';
import type { ConformanceReport, RuleResult } from './verdict.js';

/** The package is CommonJS: its default export is the builder itself, which its types say only for bundlers. */
const JUNIT = junit as unknown as Builder;

/** The report as JUnit XML, for what reads test results in a build. */
export function toJunit(report: ConformanceReport): string {
  const builder = JUNIT.newBuilder();
  const suite = builder
    .testSuite()
    .name(`Add-on Partner API v3: ${report.service}`)
    .timestamp(report.startedAt)
    .time(report.durationMs / 1_000);
  for (const result of report.results) addCase(suite, report.service, result);
  for (const { uuid, ids, why } of report.leftovers)
    suite
      .testCase()
      .className(report.service)
      .name(`left behind: ${uuid}`)
      .failure(`${ids.join(', ')} ${why}`.trim());
  return builder.build();
}

function addCase(suite: TestSuite, service: string, result: RuleResult): void {
  const testCase = suite
    .testCase()
    .className(service)
    .name(`${result.id}: ${result.title}`)
    .time(result.durationMs / 1_000);
  const notes = [...result.warnings.map((warning) => `Warning: ${warning}`)];
  if (result.verdict === 'skip') {
    testCase.skipped();
    notes.push(result.reason ?? '');
  }
  if (result.verdict === 'fail')
    testCase
      .failure(result.reason ?? '', result.id)
      .stacktrace(
        [
          ...result.exchanges.flatMap(({ sent, received }) => [`Sent: ${sent}`, `Came back: ${received}`]),
          `Rule: ${result.source}`,
          `To mend it: ${result.mend ?? ''}`,
        ].join('\n'),
      );
  if (notes.length > 0) testCase.standardOutput(notes.join('\n'));
}
