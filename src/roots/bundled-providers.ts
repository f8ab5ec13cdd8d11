import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, isPortFree } from '../../providers/engines/index.js';
import { localUrl, SettingsError, type Config } from '../kernel/config.js';
import type { Logger } from '../kernel/log.js';
import { makeFile, readJsonFile, replaceFile } from '../kernel/whole-file.js';

/** A provider program that comes with Souk. */
export interface BundledProvider {
  /** Its folder's name, e.g. `postgres`. */
  name: string;
  /** Its service's name, e.g. `souk-postgresql`. */
  slug: string;
  /** Its manifest with the real address and secrets of this installation. */
  manifest: Record<string, unknown>;
  port: number;
  password: string;
  ssoSalt: string;
  clientSecret: string;
}

const START_MS = 120_000;
const STOP_MS = 20_000;
const RESTART_FIRST_MS = 500;
const RESTART_MAX_MS = 30_000;

/** The repository's root, from source and from dist alike. */
function rootFolder(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(here.includes('/dist/src/') ? '../../../' : '../../', import.meta.url));
}

/** The names of the providers in `providers/` that are asked for (`SOUK_PROVIDERS`; null: all that have a manifest). */
export function chooseBundledProviders(wanted: string[] | null): string[] {
  const folder = providersFolder();
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'addon-manifest.json')));
  const unknown = (wanted ?? []).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new SettingsError([
      `SOUK_PROVIDERS: there is no bundled provider ${unknown.join(', ')}; there are ${names.join(', ')}.`,
    ]);
  return names.filter((name) => wanted === null || wanted.includes(name)).sort();
}

/** Those providers with their addresses and secrets, which are made once for each installation. */
export function findBundledProviders(config: Config, names: string[]): Promise<BundledProvider[]> {
  return Promise.all(names.map((name) => settle(config, providersFolder(), name)));
}

function providersFolder(): string {
  return join(rootFolder(), 'providers');
}

interface KeptFacts {
  port: number;
  password: string;
  ssoSalt: string;
  clientSecret: string;
}

/** Port and secrets are made once and kept, so that a restart finds its resources under the same address. */
async function settleFacts(folder: string, name: string): Promise<KeptFacts> {
  const file = join(folder, `${name}.json`);
  const read = () =>
    // A file of an earlier version has no client secret yet.
    readJsonFile<Omit<KeptFacts, 'clientSecret'> & Partial<KeptFacts>>(
      file,
      ({ port, password, ssoSalt, clientSecret }) =>
        Number.isInteger(port) &&
        typeof password === 'string' &&
        typeof ssoSalt === 'string' &&
        ['string', 'undefined'].includes(typeof clientSecret),
      'Remove it: the next start makes a new one, and tells the provider and the catalogue.',
    );
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const known = read();
  const portIsFree = known !== null && (await isPortFree(known.port));
  if (portIsFree && known.clientSecret !== undefined) return { ...known, clientSecret: known.clientSecret };
  const fresh = () => randomBytes(24).toString('base64url');
  const facts: KeptFacts = {
    port: portIsFree ? known.port : await freePort(),
    password: known?.password ?? fresh(),
    ssoSalt: known?.ssoSalt ?? fresh(),
    clientSecret: known?.clientSecret ?? fresh(),
  };
  if (known !== null) replaceFile(file, JSON.stringify(facts));
  else if (!makeFile(file, JSON.stringify(facts))) return { ...facts, ...read() };
  return facts;
}

async function settle(config: Config, folder: string, name: string): Promise<BundledProvider> {
  const text = readFileSync(join(folder, name, 'addon-manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as { id: string; api: { production: Record<string, string> } };
  const facts = await settleFacts(join(config.home, 'providers'), name);
  // The manifest names paths; the address is this installation's.
  const production = Object.fromEntries(
    Object.entries(manifest.api.production).map(([use, url]) => [
      use,
      `http://127.0.0.1:${facts.port}${new URL(url).pathname}`,
    ]),
  );
  return {
    name,
    slug: manifest.id,
    ...facts,
    manifest: {
      ...manifest,
      api: {
        ...manifest.api,
        password: facts.password,
        sso_salt: facts.ssoSalt,
        production,
      },
    },
  };
}

/** Runs one bundled provider as a program of its own, and starts it again when it dies. */
export class ProviderProcess {
  private child: ChildProcess | null = null;
  private stopping = false;
  private restartMs = RESTART_FIRST_MS;
  private lastWords = '';

  constructor(
    private readonly provider: BundledProvider,
    private readonly config: Config,
    private readonly log: Logger,
  ) {}

  /** Resolves when it answers /health; rejects with its last words when it cannot start, or when the signal comes. */
  async start(signal: AbortSignal): Promise<void> {
    this.spawn();
    const deadline = AbortSignal.timeout(START_MS);
    while (!deadline.aborted) {
      signal.throwIfAborted();
      if (await this.healthy()) return;
      if (this.child === null && !this.stopping && this.restartMs > RESTART_FIRST_MS * 4)
        throw new Error(`the ${this.provider.name} provider does not start: ${this.lastWords}`);
      await wait(50);
    }
    throw new Error(
      `the ${this.provider.name} provider was not ready within ${START_MS / 1000} s: ${this.lastWords}`,
    );
  }

  async healthy(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.provider.port}/health`, {
        signal: AbortSignal.timeout(1_000),
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const child = this.child;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(killer);
  }

  private spawn(): void {
    const program = join(rootFolder(), 'dist', 'providers', this.provider.name, 'main.js');
    const began = performance.now();
    // Without a program, memory, files or process ids there is no child and no `exit`: Node throws, or tells it later.
    const failed = (error: unknown): void => {
      this.lastWords = error instanceof Error ? error.message : String(error);
      this.ended({ err: this.lastWords }, began);
    };
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, ['--enable-source-maps', program], {
        // Its standard input stays open as long as we live: its end tells the provider that we are gone.
        stdio: ['pipe', 'pipe', 'pipe'],
        // A group of its own: a terminal's Ctrl-C is for us, and calls that are under way still need the provider.
        detached: true,
        env: this.environment(),
      });
    } catch (error) {
      failed(error);
      return;
    }
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      if (stream instanceof Readable)
        createInterface({ input: stream }).on('line', (line) => this.hear(line));
    child.once('error', (error) => {
      if (child.pid === undefined) failed(error);
    });
    child.once('exit', (code, signal) => this.ended({ code, signal }, began));
  }

  private ended(how: Record<string, unknown>, began: number): void {
    this.child = null;
    if (this.stopping) return;
    // A program that ran for a while and then died is started again at once.
    if (performance.now() - began > 60_000) this.restartMs = RESTART_FIRST_MS;
    this.log.error({ provider: this.provider.name, ...how, againInMs: this.restartMs }, 'a provider ended');
    const timer = setTimeout(() => {
      if (!this.stopping) this.spawn();
    }, this.restartMs);
    timer.unref();
    this.restartMs = Math.min(this.restartMs * 2, RESTART_MAX_MS);
  }

  /** Its lines are JSON logs already and go on as they are; anything else is kept as its last words. */
  private hear(line: string): void {
    if (line.startsWith('{')) {
      if (this.log.isLevelEnabled('info') || /"level":(50|60)/.test(line)) process.stdout.write(`${line}\n`);
    } else if (line.trim() !== '') {
      this.lastWords = line;
      this.log.warn({ provider: this.provider.name }, line);
    }
  }

  /** Only what it needs: none of the broker's secrets. */
  private environment(): NodeJS.ProcessEnv {
    const passed = [
      'PATH',
      'HOME',
      'LANG',
      'TZ',
      'TMPDIR',
      'SOUK_ENGINE_CACHE',
      'SOUK_ENGINES_DISABLE',
      'REDIS_SERVER_BIN',
      'XDG_CACHE_HOME',
      'NODE_EXTRA_CA_CERTS',
      'http_proxy',
      'https_proxy',
      'no_proxy',
    ];
    const own = Object.entries(process.env).filter(
      ([name]) =>
        passed.includes(name) ||
        name.startsWith(`SOUK_${this.provider.name.toUpperCase()}_`) ||
        /^SOUK_(QUOTA|STATEMENT)_/.test(name),
    );
    return {
      ...Object.fromEntries(own),
      NODE_ENV: process.env.NODE_ENV ?? 'production',
      HOST: '127.0.0.1',
      PORT: String(this.provider.port),
      SOUK_HOME: this.config.home,
      SOUK_PLATFORM_URL: localUrl(this.config.host, this.config.port),
      SOUK_PROVIDER_SLUG: this.provider.slug,
      SOUK_PROVIDER_PASSWORD: this.provider.password,
      SOUK_PROVIDER_SSO_SALT: this.provider.ssoSalt,
      SOUK_PROVIDER_CLIENT_SECRET: this.provider.clientSecret,
      SOUK_LOG_LEVEL: this.config.logLevel,
      SOUK_SUPERVISED: '1',
    };
  }
}
