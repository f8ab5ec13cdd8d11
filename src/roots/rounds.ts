import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AuditChain } from '../audit/audit-chain.js';
import { LOGGER, type Logger } from '../kernel/log.js';
import { Inventories } from '../provisioning/reconcilers/inventories.js';
import { StuckOperations } from '../provisioning/reconcilers/stuck-operations.js';

const ROUND_MS = 1_000;

/**
 * Walks the reconcilers' rounds in a worker. Driven by the process itself, not by the queue: the queue is what they
 * mend. Several workers may walk at once; the rounds lock what they take.
 */
@Injectable()
export class Rounds implements BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;
  private round: Promise<void> | null = null;

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly stuckOperations: StuckOperations,
    private readonly inventories: Inventories,
    private readonly auditChain: AuditChain,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => {
      // A round that takes longer than its interval is not overtaken by the next.
      this.round ??= this.walk().finally(() => {
        this.round = null;
      });
    }, ROUND_MS);
  }

  /** One round of everything. A part that fails does not keep the others from theirs. */
  async walk(): Promise<void> {
    await this.part('stuck operations', () => this.stuckOperations.run());
    await this.part('inventories', () => this.inventories.run());
    await this.part('audit seal', () => this.auditChain.seal());
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.round;
  }

  private async part(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.warn(
        { part: name, err: error instanceof Error ? error.message : error },
        'a round will be repeated',
      );
    }
  }
}
