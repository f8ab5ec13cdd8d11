import { randomUUID } from 'node:crypto';
import { hasStatus } from '../exchange.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, asynchronous provisioning';

export const ASYNC_CALLBACK: Rule = {
  id: 'async-callback',
  title: 'A provision that was answered with 202 is reported when it is done',
  source: SOURCE,
  mend: 'Exchange the grant at /oauth/token, PATCH the config vars to <callback_url>/config, then POST <callback_url>/actions/provision, with the access token of that resource. The host of callback_url is the platform.',
  needs: ['provision-status', 'provision-json', 'provision-id'],
  run: async (trial) => {
    requireAsync(trial, hasStatus((await trial.sample()).reply, 202));
    await trial.sampleConfig();
  },
};

export const ASYNC_LOST_ANSWER: Rule = {
  id: 'async-lost-answer',
  title: 'A report whose answer was lost is sent again',
  source: SOURCE,
  mend: 'Repeat POST …/actions/provision until you get an answer: 2xx, or 404 or 410 when the resource is gone. Keep that it is owed in your database.',
  needs: MADE,
  run: lostAnswer,
};

async function lostAnswer(trial: Trial): Promise<void> {
  requireAsync(trial, hasStatus((await trial.sample()).reply, 202));
  const { platform, asyncTimeoutMs } = trial.session;
  const uuid = randomUUID();
  platform.admit(uuid);
  const addon = platform.addon(uuid);
  addon.lostAnswers = 1;
  const exchange = await trial.provisionPatiently(uuid);
  await trial.settle(uuid, exchange);
  if (await platform.until(() => addon.finishes > 1, asyncTimeoutMs, trial.signal)) return;
  throw new Violation(
    `The connection broke before POST ${platform.url}/addons/${uuid}/actions/provision was answered, and it was not sent again within ${asyncTimeoutMs / 1000} s.`,
    [exchange],
  );
}

function requireAsync(trial: Trial, isAsync: boolean): void {
  if (!isAsync) throw new NotApplicable('The provider answers at once, not with 202.');
  if (!trial.session.canCallBack)
    throw new NotApplicable('A provider on another machine cannot reach the platform of this test.');
}
