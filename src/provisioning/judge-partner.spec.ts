import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { judgePartnerCleaning, judgePartnerDeprovision, judgePartnerProvision } from './judge-partner.js';
import { parseProvisionAnswer, type Reply } from './reply.js';

const answered = (status: number): Reply => ({ kind: 'answered', status, body: {} });
const silence: Reply = { kind: 'unanswered', why: 'timed out' };

describe('judging a provision reply', () => {
  const table: [Reply, boolean, string][] = [
    [silence, false, 'unknown'],
    [answered(200), true, 'done'],
    [answered(201), true, 'done'],
    [answered(200), false, 'unknown'],
    [answered(204), false, 'unknown'],
    [answered(202), false, 'accepted'],
    [answered(301), false, 'unknown'],
    [answered(307), true, 'unknown'],
    [answered(400), false, 'refused'],
    [answered(401), false, 'refused'],
    [answered(404), false, 'refused'],
    [answered(408), false, 'unknown'],
    [answered(410), false, 'refused'],
    [answered(422), false, 'refused'],
    [answered(425), false, 'unknown'],
    [answered(429), false, 'unknown'],
    [answered(500), false, 'unknown'],
    [answered(503), false, 'unknown'],
  ];
  it.each(table)('%j, well-formed %s → %s', (reply, wellFormed, event) => {
    assert.equal(judgePartnerProvision(reply, wellFormed), event);
  });
});

describe('judging a deprovision reply', () => {
  const table: [Reply, string, string][] = [
    [silence, 'unknown', 'unknown'],
    [answered(200), 'done', 'cleaned'],
    [answered(204), 'done', 'cleaned'],
    [answered(202), 'accepted', 'unknown'],
    [answered(302), 'unknown', 'unknown'],
    [answered(401), 'unknown', 'unknown'],
    [answered(404), 'done', 'cleaned'],
    [answered(410), 'done', 'cleaned'],
    [answered(422), 'unknown', 'unknown'],
    [answered(500), 'unknown', 'unknown'],
  ];
  it.each(table)('%j → %s, while cleaning %s', (reply, event, cleaning) => {
    assert.equal(judgePartnerDeprovision(reply), event);
    assert.equal(judgePartnerCleaning(reply), cleaning);
  });
});

describe('reading a provision answer', () => {
  const declared = ['PG_URL'];
  it('takes an id as text or number, and config that the manifest declares', () => {
    assert.deepEqual(parseProvisionAnswer({ id: 7, config: { PG_URL: 'x' }, message: 'hi' }, declared), {
      providerId: '7',
      config: { PG_URL: 'x' },
      message: 'hi',
    });
    assert.deepEqual(parseProvisionAnswer({ id: 'a', config: null }, declared)?.config, {});
    assert.deepEqual(parseProvisionAnswer({ id: 'a' }, declared)?.config, {});
  });
  it.each([
    null,
    'ok',
    [],
    {},
    { id: '' },
    { id: null, config: {} },
    { id: {}, config: {} },
    { id: 'a', config: 'PG_URL=x' },
    { id: 'a', config: [] },
    { id: 'a', config: { PG_URL: 1 } },
    { id: 'a', config: { PG_URL: null } },
    { id: 'a', config: { OTHER_URL: 'x' } },
    { id: 'a', config: { PG_URL: 'x\0y' } },
  ])('refuses %j', (body) => {
    assert.equal(parseProvisionAnswer(body, declared), null);
  });
});
