import { describeError, type Logger } from '../../kit/index.js';
import { LateWork, type LateWorkOptions } from './late-work.js';
import { Room } from './room.js';
import { SharedSpace } from './shared-space.js';

/** Cuts short what would use up the cluster. What of it needs more haste than this has is `LockGuard`'s. */
export class Watchdog {
  private readonly tasks: (() => Promise<void>)[];
  private readonly log: Logger;
  /** How often a round should come for its limits to mean something. */
  readonly everyMs: number;

  constructor(options: LateWorkOptions) {
    const { database, statementMaxMs, log } = options;
    const late = new LateWork(options);
    const space = new SharedSpace(options);
    const room = new Room(database, log);
    this.log = log;
    this.everyMs = Math.min(1_000, Math.max(50, Math.floor(statementMaxMs / 4)));
    this.tasks = [
      () => room.makeRoom(),
      () => late.cutStatements(),
      () => late.cutTransactions(),
      () => late.cutWorkers(),
      () => late.cutOwn(),
      () => space.cutTemporaryFiles(),
      () => space.drainNotifications(),
      () => space.cutSettings(),
      () => space.shrinkSettings(),
    ];
  }

  /** What fails does not keep the rest from its turn. */
  async round(): Promise<void> {
    for (const task of this.tasks)
      await task().catch((error: unknown) =>
        this.log.error({ error: describeError(error) }, 'a part of the watchdog failed'),
      );
  }
}
