import { spawn, type ChildProcess } from 'node:child_process';
import { until } from './until.js';

/** How a process ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What a process needs of the surrounding environment; everything else is said by the test. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'SOUK_ENGINE_CACHE', 'SOUK_ENGINES_DISABLE'];

/** A stop takes a second or two; one that takes this long has failed. */
const END_MS = 30_000;

/** A real `souk` process. */
export class SoukProcess {
  output = '';
  private ending: Ending | null = null;
  private readonly gone: Promise<Ending>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.gone = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.ending = { code, signal };
        resolve(this.ending);
      });
    });
  }

  /** `node`: another copy of the program that runs it. `stdin`: a pipe for what is told to it. */
  static spawn(
    args: string[],
    env: Record<string, string>,
    node = process.execPath,
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): SoukProcess {
    const inherited = Object.fromEntries(
      INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    return new SoukProcess(
      spawn(node, ['bin/souk.mjs', ...args], {
        env: { ...inherited, ...env },
        stdio: [stdin, 'pipe', 'pipe'],
      }),
    );
  }

  /** Types a line at its prompt. */
  type(line: string): void {
    if (this.child.stdin === null) throw new Error('It was started without a pipe for its input.');
    this.child.stdin.write(`${line}\n`);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.ending === null;
  }

  /** Waits for a text in its output; fails at once when it ended without it. */
  async waitFor(text: string | RegExp, timeoutMs = 60_000): Promise<void> {
    const said = () => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    const lastLines = () => `\n${this.output.slice(-4_000)}`;
    const ending = await until(() => {
      if (said()) return null;
      if (this.ending !== null) return this.ending;
      throw new Error(`"${text}" is not in its output:${lastLines()}`);
    }, timeoutMs);
    if (ending !== null)
      throw new Error(
        `It ended (code ${ending.code}, signal ${ending.signal}) without "${text}":${lastLines()}`,
      );
  }

  /** Waits until it has ended. */
  ended(): Promise<Ending> {
    return this.gone;
  }

  async kill(signal: NodeJS.Signals): Promise<Ending> {
    this.child.kill(signal);
    return this.gone;
  }

  /** Tells it to end, and kills it when it does not. */
  async end(): Promise<Ending> {
    const killer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    const ending = await this.kill('SIGTERM');
    clearTimeout(killer);
    return ending;
  }
}

/** Runs a `souk` command to its end. */
export async function runSouk(
  args: string[],
  env: Record<string, string>,
): Promise<Ending & { output: string }> {
  const command = SoukProcess.spawn(args, env);
  const ending = await command.ended();
  return { ...ending, output: command.output };
}
