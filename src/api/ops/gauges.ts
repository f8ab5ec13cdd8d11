import { Inject, Injectable } from '@nestjs/common';
import { partsOfPlanName } from '../../catalog/catalog.entity.js';
import { Database } from '../../kernel/db/database.js';
import { LOGGER, type Logger } from '../../kernel/log.js';
import { Metrics } from '../../kernel/metrics.js';
import { Outbox } from '../../kernel/outbox/outbox.js';
import type { CircuitState } from '../../provisioning/circuit.js';
import { ProviderListRepository } from '../../provisioning/provider-list.repository.js';
import { OperationRepository } from '../../provisioning/operation.repository.js';

/** Who scrapes more often than this gets the same numbers: anybody may ask, and each measuring costs some queries. */
const FRESH_MS = 1_000;

const CIRCUIT_VALUES: Record<CircuitState, number> = { closed: 0, half_open: 1, open: 2 };

/** Measures what only the database knows, when it is asked for: every process that shows a gauge has the same one. */
@Injectable()
export class Gauges {
  private measuring: Promise<void> | null = null;
  private measuredAtMs = -Infinity;

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    private readonly db: Database,
    private readonly metrics: Metrics,
    private readonly outbox: Outbox,
    private readonly operations: OperationRepository,
    private readonly providers: ProviderListRepository,
  ) {}

  /** Never rejects: while the database is away the other metrics are shown all the same, and these as not known. */
  async measure(): Promise<void> {
    // The process's own clock, since the tests' one may stand still.
    if (performance.now() - this.measuredAtMs < FRESH_MS) return;
    this.measuring ??= this.read().finally(() => {
      this.measuring = null;
    });
    await this.measuring;
  }

  private async read(): Promise<void> {
    try {
      const open = await this.operations.countOpen(this.db.manager);
      const waiting = await this.outbox.count(this.db.manager);
      const providers = await this.providers.list(this.db.manager);
      const pauses = await this.providers.listPauses(this.db.manager);
      this.metrics.providerCircuits.reset();
      // Metrics are public, and a service in alpha is not.
      const known = providers.filter(({ isPublic }) => isPublic);
      for (const { service, circuit } of known)
        this.metrics.providerCircuits.set({ service }, CIRCUIT_VALUES[circuit.state]);
      this.metrics.paused.reset();
      const hidden = new Set(providers.filter(({ isPublic }) => !isPublic).map(({ service }) => service));
      for (const { scope, targetName } of pauses)
        if (!hidden.has(partsOfPlanName(targetName).service))
          this.metrics.paused.set({ scope, target: targetName }, 1);
      this.metrics.operationsOpen.reset();
      for (const { type, state, count } of open) this.metrics.operationsOpen.set({ type, state }, count);
      this.metrics.outboxRows.set(waiting);
      this.measuredAtMs = performance.now();
    } catch (error) {
      this.log.warn({ err: error instanceof Error ? error.message : error }, 'the gauges cannot be measured');
      this.metrics.operationsOpen.reset();
      this.metrics.providerCircuits.reset();
      this.metrics.paused.reset();
      this.metrics.outboxRows.set(NaN);
    }
  }
}
