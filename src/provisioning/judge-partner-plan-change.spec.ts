import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { judgePartnerPlanChange, judgePartnerRevert } from './judge-partner-plan-change.js';
import { parsePlanChangeAnswer } from './plan-change-answer.js';
import type { Reply } from './reply.js';

const answered = (status: number, body: unknown = {}, broken = false): Reply => ({
  kind: 'answered',
  status,
  body,
  broken,
});
const silence: Reply = { kind: 'unanswered', why: 'timed out' };

describe('judging a reply to a plan change', () => {
  const table: [Reply, boolean, string, string][] = [
    [silence, false, 'unknown', 'unknown'],
    [answered(200), true, 'done', 'reverted'],
    [answered(200), false, 'unknown', 'unknown'],
    [answered(201), true, 'done', 'reverted'],
    [answered(202), true, 'done', 'reverted'],
    [answered(202), false, 'done', 'reverted'],
    [answered(204), true, 'done', 'reverted'],
    [answered(301), false, 'unknown', 'unknown'],
    [answered(307), false, 'unknown', 'unknown'],
    [answered(400), false, 'refused', 'stranded'],
    [answered(401), false, 'refused', 'stranded'],
    [answered(403), false, 'refused', 'stranded'],
    [answered(404), false, 'unsupported', 'reverted'],
    [answered(405), false, 'unsupported', 'reverted'],
    [answered(408), false, 'unknown', 'unknown'],
    [answered(409), false, 'refused', 'stranded'],
    [answered(410), false, 'unsupported', 'reverted'],
    [answered(422), false, 'refused', 'stranded'],
    [answered(425), false, 'unknown', 'unknown'],
    [answered(429), false, 'unknown', 'unknown'],
    [answered(500), false, 'unknown', 'unknown'],
    [answered(503), false, 'unknown', 'unknown'],
  ];
  it.each(table)('%j, readable %s → %s, on the way back %s', (reply, readable, event, back) => {
    assert.equal(judgePartnerPlanChange(reply, readable), event);
    assert.equal(judgePartnerRevert(reply, readable), back);
  });
});

describe('reading an answer to a plan change', () => {
  const declared = ['PG_URL'];
  it.each([
    [{}, { config: {}, message: null }],
    [null, { config: {}, message: null }],
    ['ok', { config: {}, message: null }],
    [[], { config: {}, message: null }],
    [
      { config: null, message: null },
      { config: {}, message: null },
    ],
    [
      { config: {}, message: 'Done.' },
      { config: {}, message: 'Done.' },
    ],
    [
      { config: { PG_URL: 'x' }, id: 7 },
      { config: { PG_URL: 'x' }, message: null },
    ],
  ])('takes %j', (body, answer) => {
    assert.deepEqual(parsePlanChangeAnswer(answered(200, body), declared), answer);
  });

  it.each([
    [answered(200, { config: 'x' })],
    [answered(200, { config: [] })],
    [answered(200, { config: { OTHER: 'x' } })],
    [answered(200, { config: { PG_URL: 1 } })],
    [answered(200, { config: { PG_URL: 'a\u0000' } })],
    [answered(200, null, true)],
    [answered(422)],
    [silence],
  ])('takes %j for no answer', (reply) => {
    assert.equal(parsePlanChangeAnswer(reply, declared), null);
  });
});
