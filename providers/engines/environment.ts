import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { EngineUnavailable } from './types.js';

/** Where a Unix system keeps its own tools; a PATH given to us may hold less than a package manager needs. */
const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function searchPath(): string[] {
  const given = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return [...new Set([...given, ...SYSTEM_FOLDERS])];
}

/** The whole environment of a child: nothing of ours gets in but what is listed, so no secret and no PG* leaks. */
export function cleanEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return { PATH: searchPath().join(delimiter), LC_ALL: 'C', TZ: 'UTC', ...extra };
}

/** Finds a program on PATH, then in the system's folders; null when there is none. */
export async function findProgram(name: string): Promise<string | null> {
  for (const folder of searchPath()) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

/** True when this process may execute the file. */
export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** True when the path exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The engines' public names, each with the spellings that SOUK_ENGINES_DISABLE takes. */
const SPELLINGS: Record<string, string[]> = {
  postgresql: ['postgresql', 'postgres'],
  valkey: ['valkey', 'redis'],
  'pg-client': ['pg-client'],
};

/** True when the operator switched the engine off by SOUK_ENGINES_DISABLE. */
export function isDisabled(engine: string): boolean {
  const off = (process.env['SOUK_ENGINES_DISABLE'] ?? '').split(',').map((word) => word.trim().toLowerCase());
  return (SPELLINGS[engine] ?? [engine]).some((spelling) => off.includes(spelling));
}

/** Throws EngineUnavailable when the operator switched the engine off. */
export function refuseDisabled(engine: string): void {
  if (!isDisabled(engine)) return;
  throw new EngineUnavailable({
    engine,
    why: 'It is switched off by SOUK_ENGINES_DISABLE.',
    fix: `Take ${engine} out of SOUK_ENGINES_DISABLE.`,
  });
}
