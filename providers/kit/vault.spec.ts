import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Vault } from './vault.js';

describe('Vault', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'souk-vault-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('opens what it sealed, in its place only', () => {
    const vault = Vault.fromText('a key');
    const sealed = vault.seal('open sesame', 'row 1');
    assert.equal(vault.open(sealed, 'row 1'), 'open sesame');
    assert.throws(() => vault.open(sealed, 'row 2'));
    assert.throws(() => Vault.fromText('another key').open(sealed, 'row 1'));
    sealed[sealed.length - 1] = (sealed[sealed.length - 1] ?? 0) ^ 1;
    assert.throws(() => vault.open(sealed, 'row 1'));
  });

  it('never seals the same text to the same bytes', () => {
    const vault = Vault.fromText('a key');
    assert.notDeepEqual(vault.seal('text', 'row'), vault.seal('text', 'row'));
  });

  it('makes its key file once, also when many ask at once, and closed to others', async () => {
    const file = join(folder, 'below', 'key');
    const vaults = await Promise.all([1, 2, 3, 4].map(() => Vault.fromFile(file)));
    const sealed = (await Vault.fromFile(file)).seal('text', 'row');
    for (const vault of vaults) assert.equal(vault.open(sealed, 'row'), 'text');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(Buffer.from(await readFile(file, 'utf8'), 'base64').length, 32);
  });
});
