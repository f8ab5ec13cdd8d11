import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'vitest';
import { readProviderFacts } from '../../src/conformance/provider-facts.js';
import { allRules } from '../../src/conformance/rules/index.js';
import { runConformance } from '../../src/conformance/run-conformance.js';
import type { ConformanceReport } from '../../src/conformance/verdict.js';
import { problemsOf } from '../../src/cli/conformance-subject.js';
import { Clock } from '../../src/kernel/clock.js';
import { ScriptableProvider, type Habit } from './scriptable-provider.js';

/** Each rule, and the bad habits that it finds. A provider with that habit fails on this rule and on no other. */
const HABITS: Record<string, readonly Habit[]> = {
  'accept-header': ['accept-406'],
  'provision-status': ['provision-500', 'provision-302'],
  'provision-json': ['provision-text'],
  'provision-id': ['provision-without-id'],
  'async-callback': ['never-reports', 'reports-without-token'],
  'async-lost-answer': ['reports-once'],
  'config-strings': ['config-number'],
  'config-declared': ['config-undeclared'],
  'config-urls': ['config-no-url'],
  'unknown-fields': ['unknown-fields-422'],
  'auth-missing': ['open-without-credentials', 'missing-credentials-400'],
  'auth-wrong': ['any-password'],
  'auth-before-existence': ['existence-first'],
  'repeat-same-id': ['new-id-each-time', 'known-uuid-422'],
  'repeat-same-config': ['new-password-each-time'],
  'distinct-ids': ['constant-id'],
  'concurrent-duplicates': ['look-then-insert'],
  'plan-change': ['no-plan-change'],
  'plan-change-same': ['same-plan-422'],
  'plan-change-unknown': ['any-plan'],
  'unknown-id': ['unknown-id-200', 'unknown-id-500'],
  'sso-good': ['sso-closed'],
  'sso-bad-token': ['sso-any-token'],
  'sso-stale': ['sso-for-ever'],
  'action-run': ['action-500'],
  'action-repeat': ['run-done-twice'],
  'action-unknown': ['any-action'],
  'drain-url': ['no-drain-url'],
  'drain-frame': ['drain-415'],
  'drain-repeat': ['repeated-frame-409'],
  'drain-closed': ['open-drain'],
  deprovision: ['delete-500'],
  'deprovision-repeat': ['second-delete-500'],
  'provision-after-deprovision': ['late-provision-200', 'late-provision-500'],
  'disconnect-after-send': ['locked-by-hang-up'],
  'slow-body': ['one-at-a-time'],
  'reordered-delivery': ['buried-alive'],
  'concurrent-delete': ['revived-by-repeat'],
};

/** Their provisions have no clear answer, so that nobody can say whether something is left: that is what is said then. */
const UNCLEAR: readonly Habit[] = ['provision-500', 'provision-302'];

let provider: ScriptableProvider | null = null;
afterEach(async () => {
  await provider?.stop();
  provider = null;
});

async function test(
  habit: Habit | null,
  asynchronous: boolean,
  change: (manifest: Record<string, unknown>) => Record<string, unknown> = (manifest) => manifest,
): Promise<ConformanceReport> {
  provider = await new ScriptableProvider(habit, asynchronous).start();
  const manifest = change(provider.manifest());
  return runConformance({
    facts: readProviderFacts(manifest, { allowRemote: false }),
    cloudRegion: 'amazon-web-services::eu-west-1',
    manifestProblems: problemsOf(manifest),
    only: [],
    platformPort: 0,
    callTimeoutMs: 10_000,
    asyncTimeoutMs: 1_500,
    clock: new Clock(),
    signal: new AbortController().signal,
  });
}

const idsOf = (report: ConformanceReport, verdict: string) =>
  report.results.filter((result) => result.verdict === verdict).map(({ id }) => id);

/** For whoever reads why a test of this file failed. */
const failuresOf = (report: ConformanceReport) =>
  JSON.stringify(
    report.results.filter(({ verdict }) => verdict === 'fail'),
    null,
    1,
  );

describe('a provider without bad habits', () => {
  it('that answers at once passes every rule but those of asynchronous work', async () => {
    const report = await test(null, false);
    assert.deepEqual(idsOf(report, 'fail'), [], failuresOf(report));
    assert.deepEqual(idsOf(report, 'skip'), ['async-callback', 'async-lost-answer']);
    assert.deepEqual(report.leftovers, []);
    assert.deepEqual(provider?.live(), []);
  });

  it('that answers with 202 passes every rule but the one of repeated config vars', async () => {
    const report = await test(null, true);
    assert.deepEqual(idsOf(report, 'fail'), [], failuresOf(report));
    assert.deepEqual(idsOf(report, 'skip'), ['repeat-same-config']);
    assert.deepEqual(report.leftovers, []);
    assert.deepEqual(provider?.live(), []);
  });
});

describe('a provider with one bad habit fails on exactly the rule about it', () => {
  it('has a habit for every rule', () => {
    assert.deepEqual(
      ['manifest-fields', ...Object.keys(HABITS)].sort(),
      allRules(new Clock())
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('manifest-fields: two default plans', async () => {
    const report = await test(null, false, (manifest) => ({
      ...manifest,
      plans: (manifest.plans as object[]).map((plan) => ({ ...plan, default: true })),
    }));
    assert.deepEqual(idsOf(report, 'fail'), ['manifest-fields']);
    assert.match(report.results[0]?.reason ?? '', /at most one may be the default/);
  });

  for (const [rule, habits] of Object.entries(HABITS))
    for (const habit of habits)
      it(`${rule}: ${habit}`, async () => {
        const report = await test(habit, rule.startsWith('async-'));
        assert.deepEqual(idsOf(report, 'fail'), [rule], failuresOf(report));
        if (UNCLEAR.includes(habit))
          for (const { why } of report.leftovers) assert.match(why, /no clear answer.*HTTP 404/);
        else assert.deepEqual(report.leftovers, []);
        const failure = report.results.find(({ id }) => id === rule);
        assert.ok((failure?.exchanges.length ?? 0) > 0, 'what was sent and what came back');
        assert.ok((failure?.mend ?? '').length > 20);
        assert.ok(!JSON.stringify(report).includes('password-of-the-scriptable'));
      });
});
