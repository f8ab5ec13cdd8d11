import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AptSource, debianMirrors, parseDeb822, parseList } from './apt-sources.js';
import { cacheCandidates, cacheFolder } from './cache.js';
import type { DebianRecipe } from './debian-recipes.js';
import { cleanEnvironment, exists, findProgram } from './environment.js';
import { errorText } from './errors.js';
import { withLock } from './lock.js';
import { makeOpenFolder } from './place.js';
import { run, type RunResult } from './processes.js';
import { isRoot, type SystemUser } from './system-user.js';
import type { Command, Progress } from './types.js';

/** An index is 10 MB; engines that are fetched one after another share it. */
const INDEX_FRESH_MS = 3_600_000;
const UPDATE_MS = 120_000;
const DOWNLOAD_MS = 180_000;
const UNPACK_MS = 60_000;
const LOCK_MS = 600_000;
const KEYRINGS = ['gpg', 'pgp'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

/** Programs of a recipe, unpacked in the cache. */
export interface UnpackedPrograms {
  root: string;
  /** How to run a program below the root: through its own C library's loader, whatever the machine's is. */
  command(path: string): Command;
}

/** Why Debian's packages cannot be had here, or null when apt could fetch them. Fetches nothing. */
export async function whyNoApt(): Promise<string | null> {
  if (process.platform !== 'linux') return 'Debian packages run on Linux only.';
  for (const tool of ['apt-get', 'dpkg']) {
    if ((await findProgram(tool)) === null) return `There is no ${tool} here to fetch it from Debian.`;
  }
  const mirrors = await readMirrors();
  if (mirrors.length === 0) return "The machine's apt has no mirror of Debian among its sources.";
  if ((await findKeyring(mirrors)) === null) return 'The keyring of the Debian archive is not installed.';
  return null;
}

/** The recipe's programs when an earlier run left them in the cache; fetches nothing. */
export async function findUnpacked(
  recipe: DebianRecipe,
  home: string,
  user: SystemUser | null,
): Promise<UnpackedPrograms | null> {
  for (const cache of cacheCandidates(home)) {
    const unpacked = await openUnpacked(recipe, recipeFolder(cache, recipe), user);
    if (unpacked) return unpacked;
  }
  return null;
}

/** Gives the recipe's programs, fetched with apt's signature check when they are not in the cache yet. */
export async function fetchFromDebian(
  recipe: DebianRecipe,
  home: string,
  user: SystemUser | null,
  progress: Progress,
): Promise<UnpackedPrograms> {
  const known = await findUnpacked(recipe, home, user);
  if (known) return known;
  const obstacle = await whyNoApt();
  if (obstacle !== null) throw new Error(obstacle);
  const cache = await cacheFolder(home, user);
  for (const folder of ['apt', 'debian']) await makeOpenFolder(join(cache, folder));
  return withLock(join(cache, 'apt', 'lock'), LOCK_MS, async () => {
    const folder = recipeFolder(cache, recipe);
    const other = await openUnpacked(recipe, folder, user);
    if (other) return other;
    progress(`Fetching ${recipe.packages[0]} from Debian ${recipe.suite}`);
    await rm(folder, { recursive: true, force: true });
    await fetchInto(recipe, await readMirrors(), cache, folder);
    const unpacked = await openUnpacked(recipe, folder, user);
    if (!unpacked)
      throw new Error(`The programs of ${recipe.packages[0]} from Debian ${recipe.suite} do not run here.`);
    return unpacked;
  });
}

/** Named by the list too, so that a later Souk with another list does not take an old folder. */
function recipeFolder(cache: string, recipe: DebianRecipe): string {
  const list = createHash('sha256').update(recipe.packages.join(' ')).digest('hex').slice(0, 8);
  return join(cache, 'debian', `${recipe.name}-${recipe.suite}-${process.arch}-${list}`);
}

async function openUnpacked(
  recipe: DebianRecipe,
  folder: string,
  user: SystemUser | null,
): Promise<UnpackedPrograms | null> {
  if (!(await exists(join(folder, 'manifest.json')))) return null;
  const root = join(folder, 'root');
  const places = (
    await Promise.all(['usr/lib', 'lib'].map((base) => tripletFolders(join(root, base))))
  ).flat();
  const loader = (await Promise.all(places.map(findLoader))).find((found) => found !== null);
  if (loader === undefined || loader === null) return null;
  const command = (path: string): Command => ({
    command: loader,
    args: ['--library-path', places.join(':'), join(root, path)],
    env: cleanEnvironment(),
  });
  for (const proof of recipe.proofs) {
    const { command: file, args } = command(proof);
    if ((await run(file, [...args, '--version'], { user, timeoutMs: 20_000 })).code !== 0) return null;
  }
  return { root, command };
}

async function tripletFolders(base: string): Promise<string[]> {
  const entries = await readdir(base).catch(() => []);
  return entries.filter((entry) => entry.includes('-linux-gnu')).map((entry) => join(base, entry));
}

async function findLoader(folder: string): Promise<string | null> {
  const name = (await readdir(folder)).find((entry) => /^ld-linux.*\.so\.\d+$/.test(entry));
  return name === undefined ? null : join(folder, name);
}

async function readMirrors(): Promise<AptSource[]> {
  const parts = '/etc/apt/sources.list.d';
  const names = (await readdir(parts).catch(() => [])).sort().map((name) => join(parts, name));
  const sources: AptSource[] = [];
  for (const file of ['/etc/apt/sources.list', ...names]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.sources')) sources.push(...parseDeb822(text));
    if (file.endsWith('.list')) sources.push(...parseList(text));
  }
  return debianMirrors(sources);
}

async function findKeyring(mirrors: AptSource[]): Promise<string | null> {
  const named = mirrors.flatMap(({ signedBy }) => (signedBy === null ? [] : [signedBy]));
  for (const file of [...KEYRINGS, ...named]) {
    if (await exists(file)) return file;
  }
  return null;
}

/** Fetches to the target from the first of the mirrors that has all; throws with the last one's answer. */
export async function fetchInto(
  recipe: DebianRecipe,
  mirrors: AptSource[],
  cache: string,
  target: string,
): Promise<void> {
  const keyring = await findKeyring(mirrors);
  let failure = 'no mirror of Debian is known';
  for (const { uri } of mirrors) {
    try {
      const state = join(cache, 'apt', recipe.suite);
      const config = await writeAptConfig(
        state,
        `deb [signed-by=${keyring} target=Packages] ${uri} ${recipe.suite} main\n`,
      );
      const wasFresh = await updateIndex(state, config, uri, INDEX_FRESH_MS);
      await downloadAndUnpack(recipe, config, target).catch(async (error: unknown) => {
        if (!wasFresh) throw error;
        // The mirror may have newer packages than an index of an hour ago, and the old ones no more.
        await updateIndex(state, config, uri, 0);
        await downloadAndUnpack(recipe, config, target);
      });
      return;
    } catch (error) {
      failure = errorText(error);
    }
  }
  throw new Error(failure);
}

/** apt's whole state in a folder of ours: the system's lists, status and cache are neither read nor written. */
async function writeAptConfig(state: string, source: string): Promise<string> {
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    await mkdir(join(state, folder), { recursive: true });
  await writeFile(join(state, 'status'), '');
  await writeFile(join(state, 'sources.list'), source);
  const settings: Record<string, string> = {
    'Dir::Etc::SourceList': join(state, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': state,
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::State::Status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'APT::Default-Release': '',
    'APT::Get::AllowUnauthenticated': 'false',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowWeakRepositories': 'false',
    'Acquire::AllowDowngradeToInsecureRepositories': 'false',
    'Acquire::Languages': 'none',
    'Acquire::PDiffs': 'false',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
    // Root's apt would give its files to a user of its own, who cannot enter every cache.
    ...(isRoot() ? { 'APT::Sandbox::User': 'root' } : {}),
  };
  // The machine's hooks are about the machine's own packages.
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success'].map(
    (name) => `#clear APT::Update::${name};\n`,
  );
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  const file = join(state, 'apt.conf');
  await writeFile(file, [...hooks, ...lines].join(''));
  return file;
}

/** A proxy of the environment is how some machines reach their mirror; nothing else of ours is passed on. */
function aptEnvironment(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'TMPDIR'];
  const given = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return cleanEnvironment({ DEBIAN_FRONTEND: 'noninteractive', ...Object.fromEntries(given) });
}

async function aptGet(config: string, args: string[], cwd: string, timeoutMs: number): Promise<RunResult> {
  const program = (await findProgram('apt-get')) ?? 'apt-get';
  return run(program, ['-c', config, '-q', ...args], { cwd, env: aptEnvironment(), timeoutMs });
}

/** True when an index that is not older than this was there already. */
async function updateIndex(state: string, config: string, uri: string, freshMs: number): Promise<boolean> {
  const stamp = join(state, `updated-${createHash('sha256').update(uri).digest('hex').slice(0, 12)}`);
  const updatedMs = await stat(stamp).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (Date.now() - updatedMs < freshMs) return true;
  const { code, stderr } = await aptGet(
    config,
    ['-o', 'APT::Update::Error-Mode=any', 'update'],
    state,
    UPDATE_MS,
  );
  if (code !== 0) throw new Error(`apt-get update failed: ${lastLine(stderr)}`);
  await writeFile(stamp, '');
  const now = new Date();
  await utimes(stamp, now, now);
  return false;
}

async function downloadAndUnpack(recipe: DebianRecipe, config: string, target: string): Promise<void> {
  const draft = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    const archives = join(draft, 'archives');
    const root = join(draft, 'root');
    for (const folder of [draft, archives, root]) await makeOpenFolder(folder);
    const fetched = await aptGet(config, ['download', ...recipe.packages], archives, DOWNLOAD_MS);
    if (fetched.code !== 0) throw new Error(`apt-get download failed: ${lastLine(fetched.stderr)}`);
    const dpkg = (await findProgram('dpkg')) ?? 'dpkg';
    const packages: Array<{ file: string; sha256: string }> = [];
    for (const file of (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort()) {
      const path = join(archives, file);
      const unpacked = await run(dpkg, ['-x', path, root], { env: aptEnvironment(), timeoutMs: UNPACK_MS });
      if (unpacked.code !== 0) throw new Error(`dpkg -x ${file} failed: ${lastLine(unpacked.stderr)}`);
      packages.push({
        file,
        sha256: createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      });
    }
    await chmod(root, 0o755);
    await rm(archives, { recursive: true });
    await rm(join(root, 'usr/share'), { recursive: true, force: true });
    // The manifest is what tells a whole folder; a file's name holds the package's version.
    const manifest = { suite: recipe.suite, fetchedAt: new Date().toISOString(), packages };
    await writeFile(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o644 });
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
