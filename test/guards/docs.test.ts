import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, it } from 'vitest';
import { allErrors, type ErrorSpec } from '../../src/kernel/errors.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Files below a folder whose name ends so, with their paths from the root. */
function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => join(folder, path))
    .sort();
}

/** The cells of a document's tables, row by row, without the marks of Markdown. */
function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/[`\\]/g, '')),
    );
}

const sources = filesBelow('src', '.ts').filter((path) => !path.endsWith('.spec.ts'));
const programs = [...sources, ...filesBelow('providers', '.ts').filter((path) => !/\.spec\.ts$/.test(path))];

let errors: ReadonlyMap<string, ErrorSpec>;
beforeAll(async () => {
  for (const path of sources.filter((one) => read(one).includes('defineErrors(')))
    await import(pathToFileURL(join(ROOT, path)).href);
  errors = allErrors();
});

it('every error id is in docs/errors.md as the code has it, and no other', () => {
  assert.ok(errors.size >= 40, `${errors.size} ids`);
  const documented = tableRows(read('docs/errors.md')).filter(([id]) => id !== 'id');
  assert.deepEqual(
    documented.map(([id, status, platformId, message]) => ({ id, status, platformId, message })).sort(byId),
    [...errors]
      .map(([id, spec]) => ({
        id,
        status: String(spec.status),
        platformId: spec.platformId ?? '',
        message: spec.message,
      }))
      .sort(byId),
  );
  for (const [id, , , , whatToDo] of documented) assert.ok((whatToDo ?? '').length > 10, `${id}: what to do`);
});

function byId(a: { id?: string }, b: { id?: string }): number {
  return (a.id ?? '') < (b.id ?? '') ? -1 : 1;
}

it('every setting of the broker is in docs/operator.md, and every variable there is read by something', () => {
  const config = read('src/kernel/config.ts');
  const settings = [...config.matchAll(/read\.\w+(?:<[^>]*>)?\(\s*'([A-Z_]+)'|\benv\.([A-Z_]+)/g)].map(
    ([, name, plain]) => name ?? plain ?? '',
  );
  assert.ok(settings.length >= 18, settings.join(', '));
  const documented = tableRows(read('docs/operator.md'))
    .map(([name = '']) => name)
    .filter((name) => /^[A-Z][A-Z0-9_]{3,}/.test(name));
  assert.deepEqual(
    [...new Set(settings)].filter((name) => !documented.includes(name)),
    [],
  );
  const code = programs.map(read).join('\n');
  // A variable with a part to fill in, such as SOUK_X_<PLAN>, is looked for by what stands before it.
  assert.deepEqual(
    documented.filter((name) => !code.includes(name.replace(/<.*$/, ''))),
    [],
  );
});

it('every metric is in docs/operator.md', () => {
  const names = [...read('src/kernel/metrics.ts').matchAll(/name: '(souk_\w+)'/g)].map(
    ([, name = '']) => name,
  );
  assert.ok(names.length >= 5, names.join(', '));
  const operator = read('docs/operator.md');
  assert.deepEqual(
    names.filter((name) => !operator.includes(`\`${name}\``)),
    [],
  );
});

it('every npm script is in CONTRIBUTING.md', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const contributing = read('CONTRIBUTING.md');
  const called = (name: string) =>
    ['start', 'test'].includes(name) ? [`npm ${name}`, `npm run ${name}`] : [`npm run ${name}`];
  assert.deepEqual(
    Object.keys(scripts).filter((name) => !called(name).some((call) => contributing.includes(call))),
    [],
  );
});

it('every feature has a README', () => {
  const features = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory());
  assert.deepEqual(
    features.map(({ name }) => `src/${name}/README.md`).filter((path) => !existsSync(join(ROOT, path))),
    [],
  );
});

it('links between the documents lead somewhere', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    ...['docs', 'src', 'providers'].flatMap((folder) => filesBelow(folder, '.md')),
  ];
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
      .map(([, target = '']) => target.split('#'))
      .filter(([file = '', anchor]) => {
        const at = file === '' ? path : join(dirname(path), file);
        if (!existsSync(join(ROOT, at))) return true;
        return anchor !== undefined && !anchorsOf(read(at)).includes(anchor);
      })
      .map((target) => `${path}: ${target.join('#')}`),
  );
  assert.deepEqual(broken, []);
});

/** The anchors that headings get. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
