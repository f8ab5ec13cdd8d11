import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { Reply } from '../reply.js';
import { parseActionAnswer } from './action-answer.js';
import { judgePartnerAction } from './judge-partner-action.js';

const answered = (status: number, body: unknown = {}, broken = false): Reply => ({
  kind: 'answered',
  status,
  body,
  broken,
});

describe('a reply to an action', () => {
  it.each([
    [200, 'done'],
    [201, 'done'],
    [204, 'done'],
    [202, 'accepted'],
    [302, 'unknown'],
    [400, 'refused'],
    [404, 'refused'],
    [408, 'unknown'],
    [409, 'refused'],
    [422, 'refused'],
    [425, 'unknown'],
    [429, 'unknown'],
    [500, 'unknown'],
    [503, 'unknown'],
  ])('with status %i is %s', (status, event) => {
    assert.equal(judgePartnerAction(answered(status)), event);
  });

  it('that did not come, or was cut off, has no verdict', () => {
    assert.equal(judgePartnerAction({ kind: 'unanswered', why: 'reset' }), 'unknown');
    assert.equal(judgePartnerAction(answered(200, null, true)), 'unknown');
  });
});

describe('the answer in it', () => {
  it('is its result, with words made harmless', () => {
    const reply = answered(200, { result: { n: 1 }, message: '\u001b[31mDone.' });
    const answer = parseActionAnswer(reply, { type: 'object', properties: { n: { type: 'integer' } } });
    assert.deepEqual(answer?.result, { n: 1 });
    assert.equal(answer?.message?.includes('\u001b'), false);
  });

  it('may be nothing', () => {
    assert.deepEqual(parseActionAnswer(answered(204, null), null), {
      result: null,
      message: null,
      problem: null,
    });
  });

  it('is dropped where it breaks the promise of the manifest', () => {
    const answer = parseActionAnswer(answered(200, { result: 'x' }), { type: 'object' });
    assert.equal(answer?.result, null);
    assert.match(answer?.message ?? '', /not what its manifest promises/);
    assert.match(answer?.problem ?? '', /result must be an object/);
  });

  it('is none in a 202, in a refusal or in no reply', () => {
    assert.equal(parseActionAnswer(answered(202), null), null);
    assert.equal(parseActionAnswer(answered(422), null), null);
    assert.equal(parseActionAnswer({ kind: 'unanswered', why: 'reset' }, null), null);
  });
});
