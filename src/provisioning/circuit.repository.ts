import { Injectable } from '@nestjs/common';
import type { Tx } from '../kernel/db/database.js';
import type { AddonId, OperationId, ProviderId } from '../kernel/ids.js';
import { CLOSED, type Circuit } from './circuit.js';
import { ProviderCircuit } from './gate.entity.js';

@Injectable()
export class CircuitRepository {
  async providerOf(tx: Tx, addonId: AddonId): Promise<ProviderId> {
    const [row]: { provider_id: ProviderId }[] = await tx.query(
      `SELECT s.provider_id FROM addons a JOIN addon_services s ON s.id = a.addon_service_id WHERE a.id = $1`,
      [addonId],
    );
    if (row === undefined) throw new Error(`there is no add-on ${addonId}`);
    return row.provider_id;
  }

  /** Without a lock: what is known at this moment. A provider of which nothing is known answers. */
  async find(tx: Tx, providerId: ProviderId): Promise<Circuit> {
    return (await tx.findOneBy(ProviderCircuit, { providerId })) ?? CLOSED;
  }

  /** Locks the row, which is made where there is none. Taken after an operation's lock, never before one. */
  async lock(tx: Tx, providerId: ProviderId, at: Date): Promise<Circuit> {
    await tx
      .createQueryBuilder()
      .insert()
      .into(ProviderCircuit)
      .values({ ...CLOSED, providerId, updatedAt: at })
      .orIgnore()
      .execute();
    return tx.findOneOrFail(ProviderCircuit, {
      where: { providerId },
      lock: { mode: 'pessimistic_write' },
    });
  }

  /** The caller holds the row's lock. */
  async write(tx: Tx, providerId: ProviderId, circuit: Circuit, at: Date): Promise<void> {
    const { state, failing, trips, openedAt, probeAt, probeOperationId } = circuit;
    await tx.update(
      ProviderCircuit,
      { providerId },
      { state, failing, trips, openedAt, probeAt, probeOperationId, updatedAt: at },
    );
  }

  /** Lets one operation's call through, until `endsAt`; false where another one was first. */
  async takeProbe(
    tx: Tx,
    providerId: ProviderId,
    operationId: OperationId,
    now: Date,
    endsAt: Date,
  ): Promise<boolean> {
    const result = await tx
      .createQueryBuilder()
      .update(ProviderCircuit)
      .set({ state: 'half_open', probeAt: endsAt, probeOperationId: operationId, updatedAt: now })
      .where("provider_id = :providerId AND state <> 'closed' AND probe_at <= :now", { providerId, now })
      .execute();
    return result.affected === 1;
  }

  /** The next call may be tried at once: an operator asked for it. */
  async probeNow(tx: Tx, providerId: ProviderId, now: Date): Promise<void> {
    await tx
      .createQueryBuilder()
      .update(ProviderCircuit)
      .set({ probeAt: now, updatedAt: now })
      .where("provider_id = :providerId AND state = 'open' AND probe_at > :now", { providerId, now })
      .execute();
  }
}
