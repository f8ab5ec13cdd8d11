import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { replaceOwned } from './access-rules.js';

describe('replaceOwned', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'souk-rules-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes through no link that lies in wait, keeps the owner, and leaves nothing beside', async () => {
    const [file, victim] = [join(folder, 'pg_hba.conf'), join(folder, 'victim')];
    await writeFile(file, 'old');
    await writeFile(victim, 'untouched');
    for (const name of ['pg_hba.conf.new', 'pg_hba.conf.tmp']) await symlink(victim, join(folder, name));
    const { uid, gid } = await stat(file);
    await replaceOwned(file, 'new');
    assert.equal(await readFile(file, 'utf8'), 'new');
    assert.equal(await readFile(victim, 'utf8'), 'untouched');
    const after = await stat(file);
    assert.deepEqual([after.uid, after.gid, after.mode & 0o777], [uid, gid, 0o600]);
    assert.deepEqual((await readdir(folder)).sort(), [
      'pg_hba.conf',
      'pg_hba.conf.new',
      'pg_hba.conf.tmp',
      'victim',
    ]);
  });
});
