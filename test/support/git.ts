import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from '../../providers/engines/environment.js';

/** What a clone of this working copy would hold: what git knows, and what is about to be added. */
export async function filesOfRepository(): Promise<string[]> {
  const git = await findProgram('git');
  if (git === null) return filesBut(['.git', '.souk', 'coverage', 'dist', 'node_modules']);
  // A checkout may belong to somebody else than whoever runs the tests.
  const list = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  return execFileSync(git, list, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .split('\0')
    .filter((file) => file !== '' && existsSync(file));
}

/**
 * A folder for PATH with a `git` in it: the heroku CLI does not create or destroy an app without one. A machine that has
 * none gets a stand-in in `scratch`, which knows no remotes, as in a folder that is no repository.
 */
export async function folderOfGit(scratch: string): Promise<string> {
  const git = await findProgram('git');
  if (git !== null) return dirname(git);
  const standIn = join(scratch, 'git');
  writeFileSync(standIn, '#!/bin/sh\nexit 0\n');
  chmodSync(standIn, 0o755);
  return scratch;
}

function filesBut(folders: string[]): string[] {
  const shown = readdirSync('.', { withFileTypes: true }).filter(({ name }) => !folders.includes(name));
  return shown.flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    const inside = readdirSync(entry.name, { recursive: true, withFileTypes: true });
    return inside.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  });
}
