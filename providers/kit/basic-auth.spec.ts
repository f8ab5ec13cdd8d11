import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { isBasicAuth } from './basic-auth.js';

const encoded = (text: string) => Buffer.from(text).toString('base64');

describe('isBasicAuth', () => {
  it.each<[string | undefined, boolean]>([
    [`Basic ${encoded('slug:pass:word')}`, true],
    [`basic ${encoded('slug:pass:word')}`, true],
    [`Basic ${encoded('slug:pass:wor')}`, false],
    [`Basic ${encoded('slug:pass:word ')}`, false],
    [`Basic ${encoded('Slug:pass:word')}`, false],
    [`Basic ${encoded('slug')}`, false],
    [`Bearer ${encoded('slug:pass:word')}`, false],
    ['slug:pass:word', false],
    ['Basic', false],
    ['Basic %%%', false],
    ['', false],
    [undefined, false],
  ])('of %s is %s', (header, expected) => {
    assert.equal(isBasicAuth(header, 'slug', 'pass:word'), expected);
  });
});
