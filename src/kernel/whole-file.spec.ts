import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { DamagedFile, makeFile, readJsonFile, replaceFile } from './whole-file.js';

describe('files of the state folder', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'souk-files-'));
    file = join(folder, 'facts.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = () => readJsonFile<{ port: number }>(file, ({ port }) => port !== undefined, 'Remove it.');

  it('are replaced whole, for their user alone, and leave nothing beside them', () => {
    writeFileSync(file, 'old', { mode: 0o644 });
    replaceFile(file, '{"port":1}');
    assert.deepEqual(read(), { port: 1 });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['facts.json']);
  });

  it('do not lead a write elsewhere through a link', () => {
    const other = join(folder, 'other');
    writeFileSync(other, 'untouched');
    symlinkSync(other, file);
    replaceFile(file, '{"port":1}');
    assert.equal(readFileSync(other, 'utf8'), 'untouched');
    assert.deepEqual(read(), { port: 1 });
  });

  it('are made by the first, and left alone by the second', () => {
    assert.equal(makeFile(file, '{"port":1}'), true);
    assert.equal(makeFile(file, '{"port":2}'), false);
    assert.deepEqual(read(), { port: 1 });
    assert.deepEqual(readdirSync(folder), ['facts.json']);
  });

  it('are null when absent, and named with what to do when damaged', () => {
    assert.equal(read(), null);
    for (const [text, why] of [
      ['', 'it is empty'],
      ['{"port":', 'it is not JSON'],
      ['{}', 'something is missing'],
      ['null', 'something is missing'],
    ] as const) {
      writeFileSync(file, text);
      assert.throws(read, (error: unknown) => {
        assert.ok(error instanceof DamagedFile);
        assert.ok(error.message.includes(file) && error.message.includes(why), error.message);
        return error.message.endsWith('Remove it.');
      });
    }
  });
});
