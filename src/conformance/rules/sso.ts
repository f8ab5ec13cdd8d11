import { randomUUID } from 'node:crypto';
import { plusMs, type Clock } from '../../kernel/clock.js';
import { hasStatus, outcomeOf, type Exchange } from '../exchange.js';
import type { Rule } from '../rule.js';
import { ssoForm } from '../sso-form.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, single sign-on';

/** Older than any limit that providers in the field have (2 and 5 minutes). */
const STALE_MS = 600_000;

const TOKENS = ['token', 'resource_token', 'user_scoped_resource_token'];

/** The time comes from the clock of the run, since a sign-on is signed for a moment. */
export function ssoRules(clock: Clock): readonly Rule[] {
  return [
    {
      id: 'sso-good',
      title: 'A sign-on with good tokens is let in',
      source: SOURCE,
      mend: 'Compute sha1(resource_id:salt:timestamp) as resource_token, or sha256(resource_id:salt:timestamp:user_id:email) as user_scoped_resource_token, with api.sso_salt; answer 200 or a redirect.',
      needs: MADE,
      run: async (trial) => {
        const { exchange } = await signOn(trial, clock.now(), (form) => form);
        if (exchange.reply.kind !== 'answered' || exchange.reply.status < 200 || exchange.reply.status >= 400)
          throw new Violation(`Expected 2xx or 3xx; it ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
      },
    },
    {
      id: 'sso-bad-token',
      title: 'A sign-on with wrong tokens is refused with 403',
      source: SOURCE,
      mend: 'Compare the token with your own in constant time, and answer 403 when it differs.',
      needs: MADE,
      run: async (trial) => {
        const forge = (form: Record<string, string>) => ({
          ...form,
          ...Object.fromEntries(TOKENS.map((name) => [name, flipped(form[name] ?? '')])),
        });
        requireForbidden((await signOn(trial, clock.now(), forge)).exchange);
      },
    },
    {
      id: 'sso-stale',
      title: 'A sign-on that was signed ten minutes ago is refused with 403',
      source: SOURCE,
      mend: 'Refuse with 403 when the timestamp is older than five minutes: else a form that was seen once opens the door for ever.',
      needs: MADE,
      run: async (trial) => {
        const { exchange } = await signOn(trial, plusMs(clock.now(), -STALE_MS), (form) => form);
        requireForbidden(exchange);
      },
    },
  ];
}

async function signOn(
  trial: Trial,
  at: Date,
  change: (form: Record<string, string>) => Record<string, string>,
): Promise<{ exchange: Exchange }> {
  const { ssoUrl, ssoSalt, slug } = trial.facts;
  if (ssoUrl === null) throw new NotApplicable('The manifest has no sso_url.');
  if (ssoSalt === null) throw new NotApplicable('The manifest has no api.sso_salt.');
  const { uuid, id } = await trial.make();
  const form = ssoForm({
    uuid,
    id,
    salt: ssoSalt,
    service: { slug, name: slug },
    user: { id: randomUUID(), email: 'conformance@souk.localhost' },
    app: 'conformance-app',
    at,
  });
  const changed = change(form);
  trial.session.mask.hide(...TOKENS.flatMap((name) => [form[name], changed[name]]));
  return { exchange: await trial.signOn(ssoUrl, changed) };
}

/** Another token of the same length and alphabet. */
function flipped(token: string): string {
  return token.replace(/^./, (first) => (first === '0' ? '1' : '0'));
}

function requireForbidden(exchange: Exchange): void {
  if (!hasStatus(exchange.reply, 403))
    throw new Violation(`Expected 403; it ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
}
