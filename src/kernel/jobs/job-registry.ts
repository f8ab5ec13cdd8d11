import { Injectable } from '@nestjs/common';
import { JOB_NAMES, type JobName, type Jobs } from './jobs.js';

type Handler = (payload: never) => Promise<void>;

/** Which command handles which job. */
@Injectable()
export class JobRegistry {
  private readonly handlers = new Map<string, Handler>();

  register<N extends JobName>(name: N, handler: (payload: Jobs[N]) => Promise<void>): void {
    if (this.handlers.has(name)) throw new Error(`job ${name} has two handlers`);
    this.handlers.set(name, handler);
  }

  /** Stops the start-up when a job has no handler: its work would wait for ever. */
  assertComplete(): void {
    const missing = JOB_NAMES.filter((name) => !this.handlers.has(name));
    if (missing.length > 0) throw new Error(`jobs without a handler: ${missing.join(', ')}`);
  }

  async handle(name: string, payload: unknown): Promise<void> {
    const handler = this.handlers.get(name);
    if (handler === undefined) throw new Error(`no handler for job ${name}`);
    await handler(payload as never);
  }
}
