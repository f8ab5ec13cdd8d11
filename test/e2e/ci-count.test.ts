import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';

describe('.ci/count.mjs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'souk-count-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const count = (report: string, status: string) => {
    const file = join(folder, 'report.json');
    writeFileSync(file, report);
    const run = spawnSync(process.execPath, ['.ci/count.mjs', file, status], { encoding: 'utf8' });
    return { code: run.status, lines: run.stdout.trimEnd().split('\n') };
  };
  const report = (...statuses: string[]) =>
    JSON.stringify({
      numPassedTests: statuses.filter((status) => status === 'passed').length,
      numFailedTests: statuses.filter((status) => status === 'failed').length,
      testResults: [
        {
          name: 'a.test.ts',
          assertionResults: statuses.map((status, index) => ({ status, fullName: `case ${index}` })),
        },
      ],
    });

  it('counts what passed and failed', () => {
    assert.deepEqual(count(report('passed', 'passed'), '0'), { code: 0, lines: ['2 passed, 0 failed'] });
    assert.deepEqual(count(report('passed', 'failed'), '1'), { code: 1, lines: ['1 passed, 1 failed'] });
  });

  it('names what was skipped, and does not count it as passed', () => {
    assert.deepEqual(count(report('passed', 'skipped', 'todo'), '0'), {
      code: 0,
      lines: [
        '2 skipped, and not counted as passed:',
        '  a.test.ts: case 1 (skipped)',
        '  a.test.ts: case 2 (todo)',
        '1 passed, 0 failed',
      ],
    });
    assert.equal(count(report('skipped'), '0').code, 1);
  });

  it('fails for a run that broke off, whatever it had counted', () => {
    assert.deepEqual(count('', '1'), { code: 1, lines: ['0 passed, 1 failed'] });
    assert.deepEqual(count(report('passed'), '1'), { code: 1, lines: ['1 passed, 1 failed'] });
  });
});
