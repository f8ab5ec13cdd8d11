import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AddonId, Branded, OperationId } from '../kernel/ids.js';
import type { OperationState, OperationType } from './operation.machine.js';
import type { Reported } from './report.js';

@Entity('operations')
export class Operation {
  @PrimaryColumn('uuid') id!: OperationId;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('text') type!: OperationType;
  @Column('text') state!: OperationState;
  @Column('integer') attempt!: number;
  @Column('timestamptz', { name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  @Column('timestamptz', { name: 'next_attempt_at' }) nextAttemptAt!: Date;
  /** Has a fresh job until then, so that no second one is made; null: it never had one. */
  @Column('timestamptz', { name: 'nudged_until', nullable: true }) nudgedUntil!: Date | null;
  @Column('timestamptz', { name: 'deadline_at' }) deadlineAt!: Date;
  @Column('uuid', { name: 'actor_id', nullable: true }) actorId!: string | null;
  @Column('text', { name: 'actor_name' }) actorName!: string;
  @Column('text', { name: 'last_error', nullable: true }) lastError!: string | null;
  @Column('text', { name: 'customer_message', nullable: true }) customerMessage!: string | null;
  /** What the provider reported by a call of its own, which may come before the answer that it belongs to. */
  @Column('text', { nullable: true }) reported!: Reported | null;
  @Column('timestamptz', { name: 'reported_at', nullable: true }) reportedAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}

/** One call to a provider and what was made of its answer. */
@Entity('operation_attempts')
export class OperationAttempt {
  @PrimaryColumn('uuid', { name: 'operation_id' }) operationId!: OperationId;
  @PrimaryColumn('integer') attempt!: number;
  @Column('text') call!: string;
  @Column('timestamptz', { name: 'began_at' }) beganAt!: Date;
  @Column('timestamptz', { name: 'ended_at' }) endedAt!: Date;
  @Column('text') verdict!: string;
  @Column('integer', { nullable: true }) status!: number | null;
  @Column('text', { nullable: true }) detail!: string | null;
}

/** What could not be settled, and a person should look at. */
@Entity('findings')
export class Finding {
  @PrimaryColumn('uuid') id!: Branded<'FindingId'>;
  @Column('text') kind!: string;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('text') detail!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'resolved_at', nullable: true }) resolvedAt!: Date | null;
}
