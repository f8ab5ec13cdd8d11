import { Inject, Injectable } from '@nestjs/common';
import { plusMs } from '../kernel/clock.js';
import { CONFIG, type Config } from '../kernel/config.js';
import type { Tx } from '../kernel/db/database.js';
import type { ProviderId } from '../kernel/ids.js';
import { afterCall, lookAgainAt, passage, signOf } from './circuit.js';
import { CircuitRepository } from './circuit.repository.js';
import type { HeldBy, Operation } from './operation.entity.js';
import { isUndoing, type OperationState } from './operation.machine.js';
import { PauseRepository } from './pause.repository.js';
import { retryAfterMs } from './retry-after.js';

export interface Hold {
  by: HeldBy;
  /** When to look again. */
  until: Date;
}

/** What of a call tells whether its provider answers. */
interface CallFacts {
  status: number | null;
  retryAfter?: string;
}

/** A resume brings held operations forward; this is for the case that it did not reach one. */
const PAUSED_LOOK_MS = 60_000;

/** Stands before every call to a provider: may it be made now? And learns from every call that was made. */
@Injectable()
export class CallGate {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly circuits: CircuitRepository,
    private readonly pauses: PauseRepository,
  ) {}

  /** Until when a provider is left alone in what is no operation's; null: it may be called. */
  async restOf(tx: Tx, providerId: ProviderId, now: Date): Promise<Date | null> {
    if (await this.pauses.isProviderPaused(tx, providerId)) return plusMs(now, PAUSED_LOOK_MS);
    const circuit = await this.circuits.find(tx, providerId);
    // Operations try it out; when one was answered, this goes on as well.
    return passage(circuit, now) === 'pass' ? null : lookAgainAt(circuit, true, now, Math.random());
  }

  /** null: the call may be made. Asked in the transaction of the claim, under the operation's lock. */
  async holdOf(tx: Tx, operation: Operation, state: OperationState, now: Date): Promise<Hold | null> {
    if ((await this.pauses.findHolding(tx, operation.addonId)) !== null)
      return { by: 'paused', until: plusMs(now, PAUSED_LOOK_MS) };
    const providerId = await this.circuits.providerOf(tx, operation.addonId);
    const circuit = await this.circuits.find(tx, providerId);
    const way = passage(circuit, now);
    if (way === 'pass') return null;
    const endsAt = plusMs(now, this.config.leaseMs);
    if (way === 'probe' && (await this.circuits.takeProbe(tx, providerId, operation.id, now, endsAt)))
      return null;
    const deleting = operation.type === 'deprovision' || isUndoing(state);
    return { by: 'circuit', until: lookAgainAt(circuit, deleting, now, Math.random()) };
  }

  /** In the transaction that records the call. The circuit's lock is the last one that it takes. */
  async learn(tx: Tx, operation: Operation, outcome: CallFacts, now: Date): Promise<void> {
    const sign = signOf(outcome.status);
    const providerId = await this.circuits.providerOf(tx, operation.addonId);
    const known = await this.circuits.find(tx, providerId);
    // The usual case, an answer of a provider that answers, writes nothing and waits for nobody.
    if (sign === 'answered' && known.state === 'closed' && known.failing.length === 0) return;
    const circuit = await this.circuits.lock(tx, providerId, now);
    const askedMs = retryAfterMs(outcome.status, outcome.retryAfter, now);
    await this.circuits.write(
      tx,
      providerId,
      afterCall(circuit, sign, operation.id, now, Math.random(), askedMs),
      now,
    );
  }
}
