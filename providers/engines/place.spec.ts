import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { appendInPlace, makeFileFor, readState, replaceFile } from './place.js';
import { dropTo } from './system-user.js';

/** What root must not be led to by a link that an engine's user planted. */
const PRECIOUS = 'only root may write this';

describe('files in a folder of the engine', () => {
  let folder: string;
  let precious: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'souk-place-'));
    precious = join(folder, 'precious');
    file = join(folder, 'souk.conf');
    await writeFile(precious, PRECIOUS);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const assertUntouched = async () => {
    assert.equal(await readFile(precious, 'utf8'), PRECIOUS);
    assert.equal((await stat(precious)).uid, process.getuid?.());
  };

  it('are replaced and given away whole, and a link in their place is not followed', async () => {
    const user = await dropTo('test');
    await symlink(precious, file);
    await replaceFile(file, 'new', user);
    assert.equal(await readFile(file, 'utf8'), 'new');
    const { uid, mode } = await stat(file);
    assert.equal(uid, user?.uid ?? process.getuid?.());
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual((await readdir(folder)).sort(), ['precious', 'souk.conf']);
    await assertUntouched();
  });

  it('are replaced through no link at a name that a draft might have, and keep their owner', async () => {
    await writeFile(file, 'old');
    const traps = [`${file}.new`, `${file}.tmp`];
    for (const trap of traps) await symlink(precious, trap);
    const { uid, gid } = await stat(file);
    await replaceFile(file, 'new', { uid, gid });
    assert.equal(await readFile(file, 'utf8'), 'new');
    const after = await stat(file);
    assert.deepEqual([after.uid, after.gid, after.mode & 0o777], [uid, gid, 0o600]);
    assert.deepEqual((await readdir(folder)).sort(), [
      'precious',
      'souk.conf',
      'souk.conf.new',
      'souk.conf.tmp',
    ]);
    await assertUntouched();
  });

  it('are not made where a link waits for them, nor added to through one', async () => {
    await symlink(precious, file);
    await assert.rejects(makeFileFor(await dropTo('test'), file, 'new'), { code: 'EEXIST' });
    await assert.rejects(appendInPlace(file, 'more'), { code: 'ELOOP' });
    await assertUntouched();
  });

  it('are named when they are damaged', async () => {
    await writeFile(file, '{"port":');
    await assert.rejects(readState(file), /souk\.conf is damaged\. Restore it from a backup\./);
  });
});
