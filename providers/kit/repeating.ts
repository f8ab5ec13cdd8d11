import { describeError, type Logger } from './log.js';

/** Work that runs again and again, never twice at once; a failed round is logged and the next one comes. */
export class Repeating {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = true;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<void>,
    private readonly log: Logger,
  ) {}

  /** The first round begins at once. */
  start(): void {
    this.stopped = false;
    this.wake();
  }

  /** Begins a round now, or right after the running one. */
  wake(): void {
    if (this.stopped) return;
    if (this.running !== null) {
      this.again = true;
      return;
    }
    if (this.timer !== null) clearTimeout(this.timer);
    this.running = this.round().finally(() => {
      this.running = null;
      const delayMs = this.again ? 0 : this.everyMs;
      this.again = false;
      if (!this.stopped) this.timer = setTimeout(() => this.wake(), delayMs);
    });
  }

  /** Waits for the running round; none follows. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.running !== null) await this.running;
  }

  private async round(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      this.log.error({ work: this.name, error: describeError(error) }, 'a round of scheduled work failed');
    }
  }
}
