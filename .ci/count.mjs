// Prints `N passed, N failed` of a vitest JSON report as the last line, and ends with failure unless all passed.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const {
  numPassedTests = 0,
  numFailedTests = 0,
  numFailedTestSuites = 0,
} = text === '' ? {} : JSON.parse(text);
// A suite that cannot even be loaded, and a run that broke off, have no failed test to count.
const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0, status === '0' ? 0 : 1);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 && numPassedTests > 0 ? 0 : 1);
