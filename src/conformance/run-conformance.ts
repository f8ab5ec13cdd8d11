import type { Clock } from '../kernel/clock.js';
import type { ProviderFacts } from './provider-facts.js';
import { removeMade } from './remove-made.js';
import type { Rule } from './rule.js';
import { allRules } from './rules/index.js';
import { chooseRules, unmetNeed } from './choose-rules.js';
import { newSession } from './session.js';
import { Trial, type TestSession } from './trial.js';
import {
  NotApplicable,
  Violation,
  type ConformanceReport,
  type Leftover,
  type RuleResult,
} from './verdict.js';

export interface ConformanceOptions {
  facts: ProviderFacts;
  cloudRegion: string;
  /** What is wrong with the manifest, one sentence each. */
  manifestProblems: string[];
  /** Ids of rules; empty: all. */
  only: readonly string[];
  /** Of the platform on loopback; 0: any free one. */
  platformPort: number;
  callTimeoutMs: number;
  asyncTimeoutMs: number;
  clock: Clock;
  /** Breaks the run off; what was made is removed all the same. */
  signal: AbortSignal;
  /** Told of the platform's address before the first call, and of each result as soon as it is there. */
  onStart?: (platformUrl: string) => void;
  onResult?: (result: RuleResult) => void;
}

/** A rule makes a handful of calls; one that is over this has met a provider that nearly hangs. */
const CALLS_OF_A_RULE = 6;

const CLEAN_UP_MS = 60_000;

/** Runs the rules against a provider, one after the other, and takes away whatever they made. */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { facts, clock, signal, only } = options;
  const rules = chooseRules(allRules(clock), only);
  const startedAt = clock.now();
  const began = performance.now();
  const session = newSession(options);
  await session.platform.start(options.platformPort);
  const results: RuleResult[] = [];
  let leftovers: Leftover[];
  try {
    options.onStart?.(session.platform.url);
    for (const rule of rules) {
      const unmet = unmetNeed(rule, rules, results);
      const result = await judge(rule, session, unmet, options);
      results.push(result);
      options.onResult?.(result);
    }
  } finally {
    leftovers = await removeMade(new Trial(session, AbortSignal.timeout(CLEAN_UP_MS)));
    await session.platform.stop();
  }
  return {
    service: facts.slug,
    baseUrl: facts.baseUrl,
    startedAt,
    durationMs: Math.round(performance.now() - began),
    complete: only.length === 0 && !signal.aborted,
    interrupted: signal.aborted,
    results,
    leftovers,
  };
}

async function judge(
  rule: Rule,
  session: TestSession,
  unmet: string | null,
  { signal, callTimeoutMs, asyncTimeoutMs }: ConformanceOptions,
): Promise<RuleResult> {
  const began = performance.now();
  const limitMs = callTimeoutMs * CALLS_OF_A_RULE + asyncTimeoutMs * 2;
  const limit = AbortSignal.timeout(limitMs);
  const trial = new Trial(session, AbortSignal.any([signal, limit]));
  const result = (
    verdict: RuleResult['verdict'],
    reason: string | null,
    violation: Violation | null = null,
  ): RuleResult => ({
    id: rule.id,
    title: rule.title,
    source: rule.source,
    verdict,
    reason: reason === null ? null : session.mask.show(reason),
    warnings: trial.warnings,
    exchanges: (violation?.exchanges ?? []).map((exchange) => session.mask.showExchange(exchange)),
    mend: verdict === 'fail' ? rule.mend : null,
    durationMs: Math.round(performance.now() - began),
  });
  if (signal.aborted) return result('skip', 'The test was broken off.');
  if (unmet !== null) return result('skip', `It rests on ${unmet}, which did not pass.`);
  try {
    await rule.run(trial);
    return result('pass', null);
  } catch (error) {
    if (error instanceof Violation) return result('fail', error.message, error);
    if (error instanceof NotApplicable) return result('skip', error.message);
    if (signal.aborted) return result('skip', 'The test was broken off.');
    if (limit.aborted) return result('fail', `It did not come to an end within ${limitMs / 1_000} s.`);
    // A fault of the tester: the run goes on all the same, so that what was made is removed and named.
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return result('fail', `The tester itself failed here; tell those who make it: ${stack}`);
  }
}
