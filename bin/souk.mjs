#!/usr/bin/env node
// The `souk` command. It builds what is not built yet, so that a fresh clone needs no step of its own for that.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist', 'src', 'main.js');
const stamp = join(root, 'dist', '.built');
const SOURCES = [
  'src',
  'providers',
  'bench',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Souk needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer Node.js and try again.`,
  );
  process.exit(1);
}

function newest(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), mtimeMs);
}

async function build() {
  const compiler = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  if (!existsSync(compiler)) {
    console.error('The dependencies are not installed. Run: npm ci');
    process.exit(1);
  }
  console.error('Building Souk (only when its sources changed) …');
  const began = Date.now();
  const compiling = spawn(process.execPath, [compiler, 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  // Whoever stops us does not want the compiler to go on without us.
  const signals = { SIGINT: 130, SIGTERM: 143 };
  const handlers = Object.entries(signals).map(([name, code]) => [name, () => end(code)]);
  const end = (code) => {
    compiling.kill('SIGKILL');
    process.exit(code);
  };
  for (const [name, handler] of handlers) process.once(name, handler);
  const [status] = await once(compiling, 'close');
  for (const [name, handler] of handlers) process.removeListener(name, handler);
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, '');
  console.error(`Built in ${Math.round((Date.now() - began) / 1000)} s.`);
}

// An installation may carry dist/ without the sources; then there is nothing to compare with.
const changedAt = Math.max(...SOURCES.map((source) => newest(join(root, source))));
const builtAt = existsSync(stamp) && existsSync(program) ? statSync(stamp).mtimeMs : 0;
if (changedAt > builtAt) await build();

const { main } = await import(pathToFileURL(program).href);
await main(process.argv);
