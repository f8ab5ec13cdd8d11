import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { KeyRing } from './key-ring.js';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');

describe('a key ring', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'souk-ring-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('opens what it sealed, whatever the text', () => {
    const ring = KeyRing.fromText(key(1));
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        assert.equal(ring.open(ring.seal(text, context), context), text);
      }),
    );
  });

  it('never seals the same way twice', () => {
    const ring = KeyRing.fromText(key(1));
    assert.notDeepEqual(ring.seal('x', 'c').ciphertext, ring.seal('x', 'c').ciphertext);
  });

  it('opens nothing that was changed, or that belongs elsewhere', () => {
    const ring = KeyRing.fromText(key(1));
    const sealed = ring.seal('text', 'addons:1');
    assert.throws(() => ring.open(sealed, 'addons:2'));
    for (let index = 0; index < sealed.ciphertext.length; index += 1) {
      const changed = Buffer.from(sealed.ciphertext);
      changed[index] = (changed[index] ?? 0) ^ 1;
      assert.throws(() => ring.open({ ...sealed, ciphertext: changed }, 'addons:1'), `byte ${index}`);
    }
  });

  it('seals under the first key and opens under all of them', () => {
    const old = KeyRing.fromText(`a:${key(1)}`).seal('text', 'c');
    const ring = KeyRing.fromText(`b:${key(2)},a:${key(1)}`);
    assert.equal(ring.open(old, 'c'), 'text');
    assert.equal(ring.seal('text', 'c').keyId, 'b');
    assert.throws(() => KeyRing.fromText(`b:${key(2)}`).open(old, 'c'), { id: 'key_unknown' });
  });

  it('is made in a file of its user alone, and found again', () => {
    const file = join(folder, 'ring');
    const sealed = KeyRing.fromFile(file).seal('text', 'c');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(KeyRing.fromFile(file).open(sealed, 'c'), 'text');
  });

  it('gets a new key that other processes see, and keeps the old ones', () => {
    const file = join(folder, 'ring');
    const [mine, theirs] = [KeyRing.fromFile(file), KeyRing.fromFile(file)];
    const before = theirs.seal('text', 'c');
    assert.equal(mine.addKey(), 'k2');
    const after = mine.seal('text', 'c');
    assert.equal(after.keyId, 'k2');
    assert.equal(theirs.open(after, 'c'), 'text');
    assert.equal(theirs.currentId, 'k2');
    assert.equal(theirs.open(before, 'c'), 'text');
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2);
  });

  it.each(['', 'abc', `a:${Buffer.alloc(16).toString('base64')}`, `a:${key(1)},a:${key(2)}`])(
    'refuses %j',
    (text) => {
      assert.throws(() => KeyRing.fromText(text), /SOUK_MASTER_KEY/);
    },
  );

  it('names a file that is damaged, and makes no new key in its place', () => {
    const file = join(folder, 'ring');
    for (const text of ['', 'k1:cut-sho']) {
      writeFileSync(file, text);
      assert.throws(() => KeyRing.fromFile(file), /ring is damaged \(.*Restore it from a backup/);
      assert.equal(readFileSync(file, 'utf8'), text);
    }
  });

  it('from the environment takes no new key by itself', () => {
    assert.throws(() => KeyRing.fromText(key(1)).addKey(), { id: 'keys_from_environment' });
  });
});
