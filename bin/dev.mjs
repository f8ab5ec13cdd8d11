// `npm run dev`: the server, started anew whenever a source changed. `souk up` builds what changed by itself.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['src', 'providers', 'migrations'];
/** An editor and a checkout write many files at once. */
const QUIET_MS = 300;

let server = null;
let stopping = false;
let restart = false;
let quiet;

function start() {
  // Nobody's requests are on their way that would have to be taken.
  const env = { SOUK_DRAIN_MS: '0', ...process.env };
  server = spawn(process.execPath, [join(root, 'bin', 'souk.mjs'), 'up'], { env, stdio: 'inherit' });
  server.once('close', (code) => {
    server = null;
    if (stopping) process.exit(0);
    if (restart) start();
    else console.error(`The server ended (${code}); it is started again at the next change.`);
    restart = false;
  });
}

function changed(file) {
  if (stopping || file === null || !/\.(ts|sql|json)$/.test(file) || file.endsWith('.spec.ts')) return;
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    console.error(`${file} changed; the server is started anew.`);
    if (server === null) return start();
    restart = true;
    server.kill('SIGTERM');
  }, QUIET_MS);
}

for (const source of SOURCES) watch(join(root, source), { recursive: true }, (_event, file) => changed(file));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    stopping = true;
    if (server === null) process.exit(0);
    server.kill('SIGTERM');
  });
start();
