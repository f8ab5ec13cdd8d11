import { randomUUID } from 'node:crypto';
import { hasStatus, isObject, isSuccess, outcomeOf } from '../exchange.js';
import { faultOfConfigNames, faultOfConfigShape, faultOfConfigUrls, idIn } from '../judge-provision.js';
import type { Rule } from '../rule.js';
import { EXACT_ACCEPT, type Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';

/** Of a provider that refuses the exact header, to go on with the other rules. */
const PLAIN_ACCEPT = 'application/json';

/** Rules without which there is no resource to test with. */
export const MADE = ['provision-status', 'provision-json', 'provision-id', 'async-callback'] as const;

export const PROVISION_RULES: readonly Rule[] = [
  {
    id: 'accept-header',
    title: `A provision with "Accept: ${EXACT_ACCEPT}" is taken`,
    source: 'Partner API v3, request headers',
    mend: 'Do not choose routes or answers by the Accept header; platforms send exactly this one.',
    run: acceptHeader,
  },
  {
    id: 'provision-status',
    title: 'A provision is answered with 200, 201 or 202',
    source: 'Partner API v3, provision: status',
    mend: 'Make the resource and answer 200 or 201, or answer 202 and report back when it is made.',
    run: async (trial) => {
      const exchange = await trial.sample();
      if (!hasStatus(exchange.reply, 200, 201, 202))
        throw new Violation(`The provision ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
    },
  },
  {
    id: 'provision-json',
    title: 'The answer to a provision is a JSON object',
    source: 'Partner API v3, provision: answer',
    mend: 'Answer with a JSON object such as {"id":"…","config":{…}}. A success that cannot be read is repeated and then deleted.',
    needs: ['provision-status'],
    run: async (trial) => {
      const exchange = await trial.sample();
      if (exchange.reply.kind !== 'answered' || !isObject(exchange.reply.json))
        throw new Violation('The body is no JSON object.', [exchange]);
    },
  },
  {
    id: 'provision-id',
    title: 'The answer names the id of the resource',
    source: 'Partner API v3, provision: id',
    mend: 'Put an "id" into the answer: a text of up to 255 characters or a number, unique for each resource. The uuid is the best one.',
    needs: ['provision-status', 'provision-json'],
    run: async (trial) => {
      const exchange = await trial.sample();
      if (idIn(exchange.reply) === null)
        throw new Violation('There is no "id" that is a text or a number.', [exchange]);
    },
  },
];

export const CONFIG_RULES: readonly Rule[] = [
  {
    id: 'config-strings',
    title: 'Config vars are an object of texts',
    source: 'Partner API v3, provision: config',
    mend: 'Send every config var as a text: "5432", not 5432.',
    needs: MADE,
    run: (trial) => judgeConfig(trial, (config) => faultOfConfigShape(config)),
  },
  {
    id: 'config-declared',
    title: 'Config vars are those of the manifest',
    source: 'Manifest, api.config_vars',
    mend: 'Add the names to api.config_vars in the manifest, or do not send them.',
    needs: MADE,
    run: (trial) => judgeConfig(trial, (config) => faultOfConfigNames(config, trial.facts.configVars)),
  },
  {
    id: 'config-urls',
    title: 'Config vars whose names end in _URL hold URLs',
    source: 'Partner API v3, provision: config',
    mend: 'Give a URL with scheme and host, such as postgres://user:password@host:5432/name; encode special characters in the password.',
    needs: MADE,
    run: (trial) => judgeConfig(trial, (config) => faultOfConfigUrls(config)),
  },
  {
    id: 'unknown-fields',
    title: 'Fields that are not known yet are ignored',
    source: 'Partner API v3, request body',
    mend: 'Read the fields that you know, and leave the others alone: platforms add fields.',
    needs: MADE,
    run: async (trial) => {
      const adds = { conformance_unknown: { nested: ['value'] }, another_unknown: null };
      const exchange = await trial.provisionPatiently(randomUUID(), { adds });
      if (!isSuccess(exchange.reply))
        throw new Violation(`With two unknown fields a provision ends with ${outcomeOf(exchange.reply)}.`, [
          exchange,
        ]);
    },
  },
];

async function acceptHeader(trial: Trial): Promise<void> {
  const exact = await trial.sample();
  if (isSuccess(exact.reply)) return;
  const plain = await trial.provisionPatiently(randomUUID(), { accept: PLAIN_ACCEPT });
  if (!isSuccess(plain.reply))
    throw new NotApplicable('Provisions fail with any Accept header; see provision-status.');
  trial.session.accept = PLAIN_ACCEPT;
  trial.session.sample = null;
  throw new Violation(
    `With exactly this header it ends with ${outcomeOf(exact.reply)}, with "${PLAIN_ACCEPT}" it succeeds. The other rules go on with that one.`,
    [exact, plain],
  );
}

async function judgeConfig(trial: Trial, faultOf: (config: unknown) => string | null): Promise<void> {
  const config = await trial.sampleConfig();
  if (config === undefined) throw new NotApplicable('The provider gave no config vars.');
  const fault = faultOf(config);
  if (fault !== null) throw new Violation(fault, [await trial.sample()]);
}

/** The config of an answer in a form that can be compared: order does not count. */
export function comparable(config: unknown): string {
  if (!isObject(config)) return JSON.stringify(config ?? null);
  return JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
}
