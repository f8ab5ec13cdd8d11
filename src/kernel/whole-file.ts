import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A file of Souk's folder that cannot be understood; the message names it and says what to do. */
export class DamagedFile extends Error {
  constructor(file: string, why: string, remedy: string) {
    super(`${file} is damaged (${why}). ${remedy}`);
    this.name = 'DamagedFile';
  }
}

/**
 * Replaces a file (0600) in one step: a crash leaves the old one or the new one, never half of it. On disk before it
 * returns.
 */
export function replaceFile(file: string, text: string): void {
  const draft = writeDraft(file, text);
  try {
    renameSync(draft, file);
  } catch (error) {
    unlinkSync(draft);
    throw error;
  }
  syncFolderOf(file);
}

/** Makes a file (0600) with its whole content; false, with nothing changed, when another process was first. */
export function makeFile(file: string, text: string): boolean {
  const draft = writeDraft(file, text);
  try {
    linkSync(draft, file);
    syncFolderOf(file);
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    return false;
  } finally {
    unlinkSync(draft);
  }
}

/** What a JSON file holds, or null when there is none. `remedy`: what a person does about a damaged one. */
export function readJsonFile<T>(
  file: string,
  isWhole: (content: Partial<T>) => boolean,
  remedy: string,
): T | null {
  const text = readTextFile(file);
  if (text === null) return null;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DamagedFile(file, text.trim() === '' ? 'it is empty' : 'it is not JSON', remedy);
  }
  if (typeof content !== 'object' || content === null || !isWhole(content))
    throw new DamagedFile(file, 'something is missing in it', remedy);
  return content as T;
}

/** The text of a file, or null when there is none. */
export function readTextFile(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Under a name that nobody can foresee, and only where nothing is yet: a planted link is not followed. */
function writeDraft(file: string, text: string): string {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    // On a full disk half of it may lie there, and it may hold a secret.
    if (!isCode(error, 'EEXIST')) rmSync(draft, { force: true });
    throw error;
  }
  return draft;
}

/** Until then a power cut may take the name away, though the content is on disk. */
function syncFolderOf(file: string): void {
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
