import ora, { type Ora } from 'ora';
import type { Progress } from '../kernel/progress.js';

/** Progress on standard error: a spinner in a terminal, one line a step elsewhere. */
export class TerminalProgress implements Progress {
  private readonly spinner: Ora = ora({ stream: process.stderr });
  private current: string | null = null;

  step(sentence: string): void {
    if (sentence === this.current) return;
    this.end();
    this.current = sentence;
    this.spinner.start(sentence);
  }

  note(sentence: string): void {
    const interrupted = this.current;
    this.spinner.stop();
    this.spinner.warn(sentence);
    if (interrupted !== null) this.spinner.start(interrupted);
  }

  done(sentence?: string): void {
    this.end();
    if (sentence !== undefined) this.spinner.succeed(sentence);
  }

  /** The step that runs did not succeed. */
  fail(): void {
    if (this.current !== null) this.spinner.fail();
    this.current = null;
  }

  private end(): void {
    // Elsewhere than in a terminal its beginning is its one line.
    if (this.current !== null && process.stderr.isTTY) this.spinner.succeed();
    this.current = null;
  }
}
