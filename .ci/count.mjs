// Prints `N passed, N failed` of a vitest JSON report as the last line, and ends with failure unless all passed.
// A test that was skipped has not passed: each is named above that line.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const {
  numPassedTests = 0,
  numFailedTests = 0,
  numFailedTestSuites = 0,
  testResults = [],
} = text === '' ? {} : JSON.parse(text);
const skipped = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter((test) => !['passed', 'failed'].includes(test.status))
    .map((test) => `${name}: ${test.fullName} (${test.status})`),
);
if (skipped.length > 0)
  console.log([`${skipped.length} skipped, and not counted as passed:`, ...skipped].join('\n  '));
// A suite that cannot even be loaded, and a run that broke off, have no failed test to count.
const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0, status === '0' ? 0 : 1);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 && numPassedTests > 0 ? 0 : 1);
