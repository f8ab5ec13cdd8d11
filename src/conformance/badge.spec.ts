import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'vitest';
import {
  badgeFacts,
  canonicalJson,
  newSigningKey,
  publicPem,
  readSigningKey,
  readTrustedKey,
  signBadge,
  verifyBadge,
} from './badge.js';
import type { ConformanceReport } from './verdict.js';

const report: ConformanceReport = {
  service: 'acme',
  baseUrl: 'http://127.0.0.1:1/r',
  startedAt: new Date('2026-01-02T03:04:05Z'),
  durationMs: 1,
  complete: true,
  interrupted: false,
  results: [],
  leftovers: [],
};
const key = readSigningKey(newSigningKey(), 'the key');
const trusted = readTrustedKey(publicPem(key), 'the key');
const badge = signBadge(badgeFacts(report, Buffer.from('{}')), key);
const verify = (changed: unknown) => verifyBadge(JSON.stringify(changed), trusted);

describe('a badge', () => {
  it('is good whatever order its fields stand in', () => {
    const facts = Object.fromEntries(Object.entries(badge.facts).reverse());
    assert.equal(verify({ ...badge, facts }).result, 'passed');
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: 'x' }], a: true }),
      '{"a":true,"b":[1,{"c":"x","d":null}]}',
    );
  });

  it('is refused when anything in it was changed, or somebody else signed it', () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const changed = /changed, or forged/;
    assert.throws(() => verify({ ...badge, facts: { ...badge.facts, service: 'other' } }), changed);
    assert.throws(() => verify({ ...badge, facts: { ...badge.facts, more: 1 } }), changed);
    assert.throws(() => verify({ ...badge, signature: '' }), changed);
    assert.throws(() => verify({ ...badge, signature: `AAAA${badge.signature.slice(4)}` }), changed);
    assert.throws(() => verify(signBadge(badge.facts, stranger)), /another key/);
    assert.throws(
      () => verify({ ...signBadge(badge.facts, stranger), public_key: badge.public_key }),
      changed,
    );
  });

  it.each(['', '[]', 'null', '{"facts":{}}', '{"facts":{"format":"souk-conformance-1"}}'])(
    'is not %j',
    (text) => {
      assert.throws(() => verifyBadge(text, trusted), /The file is no badge/);
    },
  );

  it('says what became of the run', () => {
    const result = (change: Partial<ConformanceReport>) =>
      badgeFacts({ ...report, ...change }, Buffer.from('')).result;
    assert.equal(result({}), 'passed');
    assert.equal(result({ complete: false }), 'partial');
    assert.equal(result({ leftovers: [{ uuid: 'u', ids: [], why: '' }] }), 'failed');
    assert.equal(result({ complete: false, interrupted: true }), 'failed');
  });
});

it('takes Ed25519 keys only', () => {
  const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.throws(() => readSigningKey(pem, 'k.pem'), /k\.pem must be an Ed25519 key, not ec/);
  assert.throws(() => readTrustedKey('nothing', 'k.pem'), /k\.pem holds no key/);
});
