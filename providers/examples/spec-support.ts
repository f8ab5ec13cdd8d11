import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PostgresCluster, removeEngine, startPostgres } from '../engines/index.js';
import { Database } from '../kit/index.js';
import { ProviderProcess, transpile } from '../postgres/spec-support.js';

export const SSO_SALT = 'the salt of the platform';

/** Compiles and runs the samples for a spec file, and takes everything away after it. */
export class SampleBench {
  private readonly homes: string[] = [];
  private readonly programs: ProviderProcess[] = [];
  private readonly databases: Database[] = [];
  private compiled: string | null = null;
  private cluster: PostgresCluster | null = null;
  private count = 0;

  async home(): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'souk-sample-'));
    this.homes.push(home);
    return home;
  }

  /** The URL of a new database, on a cluster that outlives killed programs. */
  async databaseUrl(): Promise<string> {
    this.cluster ??= await startPostgres({ home: await this.home(), name: 'given', unsafeFast: true });
    const name = `sample_${++this.count}`;
    await this.open(this.cluster.adminUrl).query(`CREATE DATABASE ${name}`);
    const url = new URL(this.cluster.adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** A connection pool as the kit has it. */
  open(url: string): Database {
    const database = new Database(
      { url, applicationName: 'spec', connectionsMax: 5, statementTimeoutMs: 30_000, lockTimeoutMs: 15_000 },
      () => undefined,
    );
    this.databases.push(database);
    return database;
  }

  /** The sample as a program of its own, compiled from the sources as they are now. */
  async start(sample: string, env: Record<string, string>): Promise<ProviderProcess> {
    this.compiled ??= await compile();
    const program = join(this.compiled, 'examples', sample, 'main.js');
    const started = await ProviderProcess.start(program, {
      PORT: '0',
      SOUK_PROVIDER_SSO_SALT: SSO_SALT,
      ...env,
    });
    this.programs.push(started);
    return started;
  }

  async clear(): Promise<void> {
    for (const program of this.programs.splice(0)) await program.stop();
    for (const database of this.databases.splice(0)) await database.close();
    await this.cluster?.stop();
    for (const home of this.homes.splice(0)) {
      for (const sample of ['cdn', 'inference'])
        await removeEngine({ home: join(home, 'providers', sample), kind: 'postgres', name: 'provider' });
      await removeEngine({ home, kind: 'postgres', name: 'given' });
      await rm(home, { recursive: true, force: true });
    }
    if (this.compiled !== null) await rm(this.compiled, { recursive: true });
  }
}

async function compile(): Promise<string> {
  const providers = dirname(dirname(fileURLToPath(import.meta.url)));
  const folder = await mkdtemp(join(tmpdir(), 'souk-samples-'));
  await symlink(join(providers, '..', 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['engines', 'kit', 'examples'])
    await transpile(join(providers, name), join(folder, name));
  return folder;
}
