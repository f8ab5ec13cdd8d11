import type { Trial } from './trial.js';

/** One thing that the partner contract asks of a provider. Ids are a public contract: never renamed, never reused. */
export interface Rule {
  id: string;
  /** What holds when it passes. */
  title: string;
  /** Where the contract says so. */
  source: string;
  /** What the provider's author does about a failure. */
  mend: string;
  /** Rules without which this one says nothing: it is skipped when one of them does not pass. */
  needs?: readonly string[];
  /** Returns when the rule holds; throws `Violation` or `NotApplicable`. */
  run(trial: Trial): Promise<void>;
}
