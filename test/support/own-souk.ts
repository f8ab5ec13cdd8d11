import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.js';
import { removeSouk } from './leftovers.js';
import { runSouk, SoukProcess, type Ending } from './souk-process.js';

interface Credentials {
  url: string;
  email: string;
  token: string;
}

/** A folder for one whole Souk on engines of its own, as a user has it. */
export class OwnSouk {
  readonly home: string;
  process: SoukProcess | null = null;

  constructor() {
    this.home = join(mkdtempSync(join(tmpdir(), 'souk-own-')), 'home');
    chmodSync(join(this.home, '..'), 0o711);
  }

  /** `souk up` (or another command that stays), until it says that it is up. */
  async start(
    env: Record<string, string> = {},
    command = 'up',
    up: string | RegExp = 'Souk is up',
  ): Promise<SoukProcess> {
    const begun = this.begin(env, command);
    await begun.waitFor(up, 120_000);
    return begun;
  }

  /** The same, without waiting. `node`: another copy of the program that runs it. */
  begin(env: Record<string, string> = {}, command = 'up', node?: string): SoukProcess {
    this.process = SoukProcess.spawn([command], this.environment(env), node);
    return this.process;
  }

  get credentials(): Credentials {
    return JSON.parse(readFileSync(join(this.home, 'credentials.json'), 'utf8')) as Credentials;
  }

  get api(): Api {
    const { url, token } = this.credentials;
    return new Api(url, token);
  }

  /** Runs a `souk` command that finds this server by its folder. */
  run(args: string[], env: Record<string, string> = {}): Promise<Ending & { output: string }> {
    return runSouk(args, this.environment(env));
  }

  async stop(): Promise<Ending | null> {
    const running = this.process;
    this.process = null;
    return running === null ? null : running.isRunning ? running.end() : running.ended();
  }

  /** Stops it and takes away what it left, on whichever disk it lies. */
  async remove(): Promise<void> {
    await this.stop();
    await removeSouk(this.home);
    rmSync(join(this.home, '..'), { recursive: true, force: true });
  }

  private environment(env: Record<string, string>): Record<string, string> {
    return { SOUK_HOME: this.home, PORT: '0', SOUK_LOG_LEVEL: 'info', ...env };
  }
}
