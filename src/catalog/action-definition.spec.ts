import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { readActions } from './action-definition.js';
import { valueProblems, type JsonSchema } from './json-schema.js';

const PURGE = {
  name: 'cache.purge',
  title: 'Empty the cache',
  kind: 'command',
  params: { type: 'object', properties: { path: { type: 'string', maxLength: 10 } } },
};

function problemsOf(input: unknown): string[] {
  const problems: string[] = [];
  readActions(input, (sentence) => problems.push(sentence));
  return problems;
}

describe('the actions of a manifest', () => {
  it('are none where it says nothing', () => {
    assert.deepEqual(readActions(undefined, assert.fail), []);
  });

  it('get what they leave out', () => {
    const [action] = readActions([{ ...PURGE, params: undefined }], assert.fail);
    assert.deepEqual(action, {
      name: 'cache.purge',
      title: 'Empty the cache',
      description: '',
      kind: 'command',
      confirm: false,
      params: { type: 'object' },
      result: null,
    });
  });

  it.each([
    ['no list', {}, 'souk.actions must be a list.'],
    ['no object', ['x'], 'souk.actions[0] must be an object.'],
    ['a name in upper case', [{ ...PURGE, name: 'Purge' }], /name must be lower-case words/],
    ['the name of a report', [{ ...PURGE, name: 'deprovision' }], /must not be deprovision/],
    ['a name twice', [PURGE, PURGE], /each name only once/],
    ['no title', [{ ...PURGE, title: undefined }], /title must be a text/],
    ['another kind', [{ ...PURGE, kind: 'verb' }], /kind must be "command" or "query"/],
    ['a text as confirm', [{ ...PURGE, confirm: 'yes' }], /confirm must be true or false/],
    ['a field of its own', [{ ...PURGE, async: true }], /\.async is not known/],
    ['params that are no object', [{ ...PURGE, params: { type: 'string' } }], /params\.type must be object/],
    ['more than fifty', Array.from({ length: 51 }, (_, n) => ({ ...PURGE, name: `a${n}` })), /at most 50/],
    ['a pattern', [{ ...PURGE, result: { type: 'string', pattern: '(a+)+$' } }], /pattern is not supported/],
    ['a reference', [{ ...PURGE, params: { $ref: '#' } }], /params\.type must be one of/],
    [
      'a name that every object has',
      [{ ...PURGE, params: { type: 'object', constructor: 1 } }],
      /constructor is not supported/,
    ],
    [
      'a required property that is none',
      [{ ...PURGE, params: { type: 'object', required: ['toString'] } }],
      /required names toString, which is no property/,
    ],
  ])('are refused with %s', (_what, input, expected) => {
    const problems = problemsOf(input).join('\n');
    if (typeof expected === 'string') assert.equal(problems, expected);
    else assert.match(problems, expected);
  });

  it('are refused where they are nested without end', () => {
    let deep: object = { type: 'string' };
    for (let level = 0; level < 8; level += 1) deep = { type: 'array', items: deep };
    assert.match(problemsOf([{ ...PURGE, result: deep }]).join(' '), /nested too deeply/);
  });
});

describe('params', () => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['size'],
    properties: {
      size: { type: 'integer', minimum: 1, maximum: 9 },
      mode: { type: 'string', enum: ['fast', 'slow'] },
      tags: { type: 'array', maxItems: 2, items: { type: 'string', minLength: 1 } },
      dry: { type: 'boolean' },
      rate: { type: 'number' },
    },
  };

  it('that fit have no problems', () => {
    const value = { size: 3, mode: 'fast', tags: ['a', 'b'], dry: false, rate: 0.5 };
    assert.deepEqual(valueProblems(schema, value, 'params', true), []);
  });

  it.each([
    [{}, 'params.size is missing.'],
    [{ size: '3' }, 'params.size must be a whole number.'],
    [{ size: 3.5 }, 'params.size must be a whole number.'],
    [{ size: 0 }, 'params.size must be at least 1.'],
    [{ size: 10 }, 'params.size must be at most 9.'],
    [{ size: 1, mode: 'other' }, 'params.mode must be one of fast, slow.'],
    [{ size: 1, tags: ['a', 'b', 'c'] }, 'params.tags must be at most 2 elements.'],
    [
      { size: 1, tags: ['', 7] },
      'params.tags[0] must be at least 1 characters. params.tags[1] must be a text.',
    ],
    [{ size: 1, dry: 'no' }, 'params.dry must be true or false.'],
    [{ size: 1, rate: Number.NaN }, 'params.rate must be a number.'],
    [{ size: 1, sise: 2 }, 'params.sise is not known.'],
    [{ size: 1, toString: 2 }, 'params.toString is not known.'],
    [[], 'params must be an object.'],
  ])('%j', (value, expected) => {
    assert.equal(valueProblems(schema, value, 'params', true).join(' '), expected);
  });

  it('may hold more where the schema is an open one', () => {
    assert.deepEqual(valueProblems(schema, { size: 1, more: 2 }, 'result', false), []);
  });
});
