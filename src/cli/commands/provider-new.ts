import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, type Command } from 'commander';
import { freePort } from '../../../providers/engines/index.js';
import { SettingsError } from '../../kernel/config.js';
import { printFacts } from '../output.js';

/** What is new when the command is through. */
interface NewProvider {
  slug: string;
  folder: string;
  manifest: string;
  base_url: string;
}

/** Files with secrets; all others are readable for everybody, as a project's files are. */
const SECRET_FILES = ['addon-manifest.json'];
/** A file of this name would hide the template itself from git. */
const RENAMED: Record<string, string> = { gitignore: '.gitignore' };

/** `souk provider new NAME`: a provider that works as it comes. */
export function addProviderNewCommand(program: Command): void {
  const provider =
    program.commands.find((one) => one.name() === 'provider') ??
    program.command('provider').description('for those who offer add-ons');
  provider
    .command('new')
    .argument('<name>', 'the slug of the service: what customers will type', slug)
    .option('--folder <dir>', 'where to make it (default: a folder of that name, here)')
    .option('--json', 'print JSON')
    .description('make an add-on provider that works as it comes')
    .action(async (name: string, { folder, json }: { folder?: string; json?: boolean }) => {
      const made = await makeProvider(name, resolve(folder ?? name));
      printFacts(made, json, () => explain(made));
    });
}

/** The whole folder or nothing: it is made under another name first. What is there already is never touched. */
async function makeProvider(name: string, folder: string): Promise<NewProvider> {
  const port = await freePort();
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    fill(draft, {
      SLUG: name,
      NAME: name.split('-').map(capitalised).join(' '),
      PREFIX: name.toUpperCase().replaceAll('-', '_'),
      PASSWORD: randomBytes(24).toString('base64url'),
      SSO_SALT: randomBytes(24).toString('base64url'),
      PORT: String(port),
      SOUK: `file:${rootFolder()}`,
    });
    // What `npm install` would do, so that there is nothing to install.
    mkdirSync(join(draft, 'node_modules'));
    symlinkSync(rootFolder(), join(draft, 'node_modules', 'souk'));
    mkdirSync(join(draft, 'node_modules', '.bin'));
    symlinkSync('../souk/bin/souk.mjs', join(draft, 'node_modules', '.bin', 'souk'));
    // The database's own user has to get through to its folder.
    chmodSync(draft, 0o755);
    putInPlace(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return {
    slug: name,
    folder,
    manifest: join(folder, 'addon-manifest.json'),
    base_url: `http://127.0.0.1:${port}/heroku/resources`,
  };
}

function fill(folder: string, words: Record<string, string>): void {
  const template = join(rootFolder(), 'providers', 'kit', 'template');
  for (const file of readdirSync(template)) {
    const text = readFileSync(join(template, file), 'utf8').replace(
      /__([A-Z]+(?:_[A-Z]+)*)__/g,
      (whole, word: string) => words[word] ?? whole,
    );
    writeFileSync(join(folder, RENAMED[file] ?? file), text, {
      flag: 'wx',
      mode: SECRET_FILES.includes(file) ? 0o600 : 0o644,
    });
  }
}

function putInPlace(draft: string, folder: string): void {
  try {
    // Fails where there is a file, or a folder with anything in it.
    renameSync(draft, folder);
  } catch (error) {
    const taken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!taken) throw error;
    throw new SettingsError([`${folder} exists and is not empty. Choose another folder with --folder.`]);
  }
}

/** The slug as the catalogue takes it, short enough for names that are made from it. */
function slug(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/.test(name) || name.includes('--'))
    throw new InvalidArgumentError(
      'Use 2 to 40 lower-case letters, digits and single dashes, beginning with a letter and not ending with a dash.',
    );
  if (/add-?on/.test(name))
    throw new InvalidArgumentError('The words "addon" and "add-on" are refused by platforms.');
  return name;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The checkout's root, from source and from dist. */
function rootFolder(): string {
  const here = fileURLToPath(import.meta.url);
  const up = here.includes('/dist/src/') ? '../../../../' : '../../../';
  return resolve(fileURLToPath(new URL(up, import.meta.url)));
}

function explain({ folder, manifest, base_url: baseUrl }: NewProvider): string {
  return [
    `A provider is in ${folder}. Start it:`,
    '',
    `  cd ${folder} && npm start`,
    '',
    `From another terminal, in that folder: npx souk provider test addon-manifest.json`,
    '',
    `It answers at ${baseUrl}, and sells a small store of JSON values: provider.js is where your service goes.`,
    `${manifest} holds its secrets; git does not take it.`,
  ].join('\n');
}
