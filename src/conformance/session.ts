import { randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { Mask } from './exchange.js';
import { LocalPlatform } from './local-platform.js';
import { MadeResources } from './made-resources.js';
import { isLoopback, type ProviderFacts } from './provider-facts.js';
import { EXACT_ACCEPT, type TestSession } from './trial.js';

export interface SessionOptions {
  facts: ProviderFacts;
  cloudRegion: string;
  /** What is wrong with the manifest, one sentence each. */
  manifestProblems: string[];
  callTimeoutMs: number;
  asyncTimeoutMs: number;
  clock: Clock;
}

/** A platform that nobody was called from yet; the manifest's secrets are masked from the first moment on. */
export function newSession(options: SessionOptions): TestSession {
  const { facts, clock } = options;
  const mask = new Mask();
  const basic = Buffer.from(`${facts.slug}:${facts.password}`).toString('base64');
  mask.hide(facts.password, basic, facts.ssoSalt);
  return {
    facts,
    cloudRegion: options.cloudRegion,
    platform: new LocalPlatform({ slug: facts.slug, plan: facts.plans[0] ?? '' }, mask, clock),
    made: new MadeResources(),
    mask,
    manifestProblems: options.manifestProblems,
    callTimeoutMs: options.callTimeoutMs,
    asyncTimeoutMs: options.asyncTimeoutMs,
    canCallBack: isLoopback(new URL(facts.baseUrl)),
    accept: EXACT_ACCEPT,
    sample: null,
    sampleUuid: randomUUID(),
    onExchange: null,
  };
}
