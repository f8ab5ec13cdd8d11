import type { Exchange, ShownExchange } from './exchange.js';

/** The provider broke the rule. The exchanges show it. */
export class Violation extends Error {
  constructor(
    message: string,
    readonly exchanges: readonly Exchange[] = [],
  ) {
    super(message);
    this.name = 'Violation';
  }
}

/** The rule says nothing about this provider; the message says why. */
export class NotApplicable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NotApplicable';
  }
}

/** The test could not begin; the message is for the person at the terminal. */
export class ConformanceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConformanceError';
  }
}

export interface RuleResult {
  id: string;
  title: string;
  source: string;
  verdict: 'pass' | 'fail' | 'skip';
  /** Of a failure or a skip: why. */
  reason: string | null;
  /** What is no failure, but worth a look. */
  warnings: string[];
  /** Of a failure. */
  exchanges: ShownExchange[];
  mend: string | null;
  durationMs: number;
}

/** A resource that the tester made and could not take away again. */
export interface Leftover {
  uuid: string;
  /** The provider's ids for it, as far as they are known. */
  ids: string[];
  why: string;
}

export interface ConformanceReport {
  service: string;
  baseUrl: string;
  startedAt: Date;
  durationMs: number;
  /** True when every rule was asked for and the run was not broken off. */
  complete: boolean;
  interrupted: boolean;
  results: RuleResult[];
  leftovers: Leftover[];
}

/** True when nothing failed, nothing was left behind, and the run came to its end. */
export function isClean(report: ConformanceReport): boolean {
  return !report.interrupted && report.leftovers.length === 0 && countVerdicts(report.results).fail === 0;
}

export function countVerdicts(results: readonly RuleResult[]): Record<RuleResult['verdict'], number> {
  const counts = { pass: 0, fail: 0, skip: 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  return counts;
}
