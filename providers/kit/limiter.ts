import { answers } from './errors.js';

/** Lets at most so many pieces of work run at once; the others wait in line, first come first served. */
export class Limiter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly max: number,
    /** After this wait the work is refused as busy; null: it waits as long as it takes. */
    private readonly waitMs: number | null = null,
  ) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.max) await this.turn();
    else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The place goes straight to the next in line.
      if (next === undefined) this.running -= 1;
      else next();
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.waitMs === null) {
        this.waiting.push(resolve);
        return;
      }
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(enter), 1);
        reject(answers.busy());
      }, this.waitMs);
      this.waiting.push(enter);
    });
  }
}
