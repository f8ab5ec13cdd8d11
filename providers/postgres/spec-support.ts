import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, DatabaseError, type QueryResultRow } from 'pg';
import ts from 'typescript';
import { type PostgresCluster, removeEngine, startPostgres } from '../engines/index.js';
import { providerFolder } from './engine/cluster.js';

export const SLUG = 'souk-postgresql';
export const PASSWORD = 'the password of the platform';

/** What a provider answered. */
export interface Answer {
  status: number;
  headers: Headers;
  body: {
    id?: string;
    message?: string;
    config?: Record<string, string>;
    resources?: ListedRow[];
    next?: string | null;
  };
}

interface ListedRow {
  id: string;
  uuid: string;
  plan: string;
  state: string;
}

/** Waits for a condition, never for a time. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
    await delay(25);
  }
}

/** A provider program as the broker runs it: a process of its own, met over HTTP only. */
export class ProviderProcess {
  private constructor(
    /** Its lines of log and its last words. */
    readonly lines: string[],
    readonly child: ChildProcess,
    readonly port: number,
    readonly ended: Promise<number | NodeJS.Signals>,
  ) {}

  static async start(program: string, env: Record<string, string>): Promise<ProviderProcess> {
    const child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        SOUK_PROVIDER_SLUG: SLUG,
        SOUK_PROVIDER_PASSWORD: PASSWORD,
        SOUK_POSTGRES_UNSAFE_FAST: '1',
        SOUK_SUPERVISED: '1',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
    const port = await new Promise<number>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          if (line.includes('"event":"listening"')) resolve((JSON.parse(line) as { port: number }).port);
        });
      ended.then((how) => reject(new Error(`it ended with ${how}: ${lines.slice(-3).join('\n')}`)), reject);
    });
    return new ProviderProcess(lines, child, port, ended);
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    authorization = basic(SLUG, PASSWORD),
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
    };
  }

  provision(uuid: string = randomUUID(), plan = 'essential-0'): Promise<Answer> {
    return this.call('POST', '/heroku/resources', {
      uuid,
      plan,
      name: 'acme',
      region: 'amazon-web-services::us-east-1',
    });
  }

  /** A new resource that must succeed: its uuid and its URL. */
  async tenant(plan = 'essential-0'): Promise<{ uuid: string; url: string }> {
    const uuid = randomUUID();
    const answer = await this.provision(uuid, plan);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { uuid, url: urlIn(answer) };
  }

  deprovision(uuid: string): Promise<Answer> {
    return this.call('DELETE', `/heroku/resources/${uuid}`);
  }

  changePlan(uuid: string, plan: string): Promise<Answer> {
    return this.call('PUT', `/heroku/resources/${uuid}`, { plan });
  }

  async healthy(): Promise<boolean> {
    return (await this.call('GET', '/health')).status === 200;
  }

  /** As the operating system kills it: no chance to tidy up. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop(): Promise<number | NodeJS.Signals> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The database's URL in the answer to a provision. */
export function urlIn(answer: Answer): string {
  const url = answer.body.config?.SOUK_POSTGRESQL_URL;
  assert.ok(url, `no URL in ${JSON.stringify(answer.body)}`);
  return url;
}

/** Makes homes and programs for a spec file, and takes everything away after it. */
export class Bench {
  private readonly folders: string[] = [];
  private readonly homes: string[] = [];
  private readonly programs: ProviderProcess[] = [];
  private readonly clients: Client[] = [];
  private readonly clusters: PostgresCluster[] = [];
  private compiled: string | null = null;

  async home(): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'souk-provider-'));
    this.homes.push(home);
    return home;
  }

  /** A cluster that is not the provider's to start or stop. */
  async cluster(home: string): Promise<PostgresCluster> {
    const cluster = await startPostgres({ home, name: 'given', unsafeFast: true });
    this.clusters.push(cluster);
    return cluster;
  }

  /** Starts the provider, compiled from the sources as they are now. */
  async start(env: Record<string, string>): Promise<ProviderProcess> {
    this.compiled ??= await this.compile();
    const started = await ProviderProcess.start(join(this.compiled, 'postgres', 'main.js'), env);
    this.programs.push(started);
    return started;
  }

  /** An open session, whose end by the server is no failure of the test. */
  async connect(url: string): Promise<Client> {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  async clear(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.end().catch(() => undefined)));
    for (const program of this.programs.splice(0)) await program.stop();
    for (const cluster of this.clusters.splice(0)) await cluster.stop();
    for (const home of this.homes.splice(0)) {
      for (const owner of [home, providerFolder(home)])
        for (const name of await readdir(join(owner, 'engines', 'postgres')).catch(() => []))
          await removeEngine({ home: owner, kind: 'postgres', name });
      await rm(home, { recursive: true });
    }
    for (const folder of this.folders.splice(0)) await rm(folder, { recursive: true });
    this.compiled = null;
  }

  private async compile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'souk-provider-program-'));
    this.folders.push(folder);
    const providers = dirname(dirname(fileURLToPath(import.meta.url)));
    await symlink(join(providers, '../node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    for (const name of ['engines', 'kit', 'postgres'])
      await transpile(join(providers, name), join(folder, name));
    return folder;
  }
}

/** Compiles a folder of providers/, its specs left out. */
export async function transpile(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await transpile(source, target);
    else if (entry.name.endsWith('.json')) await cp(source, target);
    else if (entry.name.endsWith('.ts') && !entry.name.includes('spec')) {
      const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
      const { outputText } = ts.transpileModule(await readFile(source, 'utf8'), { compilerOptions });
      await writeFile(target.replace(/ts$/, 'js'), outputText);
    }
  }
}

/** The rows of one statement on a connection of its own. */
export async function rowsOf<Row extends QueryResultRow>(
  url: string,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Takes what `fillUntilEnded` writes. */
export const FILLED_TABLE = 'CREATE TABLE things (id serial PRIMARY KEY, body text)';

/** One statement that writes about so many megabytes, which no compression makes smaller. */
export function fill(megabytes: number): string {
  return `INSERT INTO things (body) SELECT string_agg(md5(random()::text), '')
    FROM generate_series(1, ${megabytes * 128}) a, generate_series(1, 250) b GROUP BY a`;
}

/**
 * Fills a database over its quota, in steps: of a transaction that is under way when the session ends, nothing stays. On
 * a busy machine a step may take longer than a statement may; it is tried again, for the quota is not reached by it.
 */
export async function fillUntilEnded(session: Client): Promise<void> {
  const filling = (async () => {
    for (;;)
      await session.query(fill(1)).catch((error: unknown) => {
        if (!(error instanceof DatabaseError) || error.code !== '57014') throw error;
      });
  })();
  await assert.rejects(filling);
}

/** The error that the server answered with, or `done`. */
export async function codeOf(session: Client, sql: string): Promise<string> {
  try {
    await session.query(sql);
    return 'done';
  } catch (error) {
    if (error instanceof DatabaseError) return error.code ?? '';
    throw error;
  }
}
