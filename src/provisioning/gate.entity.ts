import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Branded, OperationId, ProviderId } from '../kernel/ids.js';
import type { CircuitState } from './circuit.js';

/** Whether a provider answers, as all workers know it. */
@Entity('provider_circuits')
export class ProviderCircuit {
  @PrimaryColumn('uuid', { name: 'provider_id' }) providerId!: ProviderId;
  @Column('text') state!: CircuitState;
  @Column('uuid', { array: true }) failing!: OperationId[];
  @Column('integer') trips!: number;
  @Column('timestamptz', { name: 'opened_at', nullable: true }) openedAt!: Date | null;
  @Column('timestamptz', { name: 'probe_at', nullable: true }) probeAt!: Date | null;
  @Column('uuid', { name: 'probe_operation_id', nullable: true }) probeOperationId!: OperationId | null;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

export type PauseScope = 'provider' | 'plan' | 'region';

/** What an operator has paused, and why. */
@Entity('pauses')
export class Pause {
  @PrimaryColumn('uuid') id!: Branded<'PauseId'>;
  @Column('text') scope!: PauseScope;
  /** A provider's or plan's id, or a region's name. */
  @Column('text') target!: string;
  @Column('text', { name: 'target_name' }) targetName!: string;
  /** Customers read it. */
  @Column('text') reason!: string;
  @Column('text', { name: 'paused_by' }) pausedBy!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('text', { name: 'resumed_by', nullable: true }) resumedBy!: string | null;
  @Column('timestamptz', { name: 'resumed_at', nullable: true }) resumedAt!: Date | null;
}
