import { Injectable } from '@nestjs/common';
import type { Tx } from '../kernel/db/database.js';
import type { ProviderId } from '../kernel/ids.js';
import { CLOSED, type Circuit } from './circuit.js';
import { ProviderCircuit, type Pause } from './gate.entity.js';
import { PauseRepository } from './pause.repository.js';

export interface ProviderFacts {
  id: ProviderId;
  service: string;
  bundled: boolean;
  /** Anybody may know that there is such a service. */
  isPublic: boolean;
  circuit: Circuit;
  /** Operations that have not ended, and how many of them are held. */
  open: number;
  held: number;
}

/** Reads providers for operators. */
@Injectable()
export class ProviderListRepository {
  constructor(private readonly pauses: PauseRepository) {}

  /** All providers by their service's name, at most 1,000. */
  async list(tx: Tx): Promise<ProviderFacts[]> {
    const rows: Omit<ProviderFacts, 'circuit'>[] = await tx.query(
      `SELECT p.id, s.name AS service, p.bundled, s.state <> 'alpha' AS "isPublic", coalesce(o.open, 0) AS open, coalesce(o.held, 0) AS held
       FROM providers p JOIN addon_services s ON s.provider_id = p.id
       LEFT JOIN (
         SELECT a.addon_service_id, count(*)::int AS open, count(held_by)::int AS held
         FROM operations JOIN addons a ON a.id = operations.addon_id WHERE finished_at IS NULL GROUP BY 1
       ) o ON o.addon_service_id = s.id
       ORDER BY s.name LIMIT 1000`,
    );
    const circuits = await tx.find(ProviderCircuit, { take: 1_000 });
    return rows.map((row) => ({
      ...row,
      circuit: circuits.find(({ providerId }) => providerId === row.id) ?? CLOSED,
    }));
  }

  /** What is paused, oldest first. */
  async listPauses(tx: Tx): Promise<Pause[]> {
    return this.pauses.listOpen(tx);
  }
}
