import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AddonId, Branded, OperationId, PlanId, ProviderId } from '../kernel/ids.js';
import { toCents, type Cents } from '../kernel/money.js';
import type { OperationState, OperationType } from './operation.machine.js';
import type { Reported } from './report.js';

/** `paused`: an operator paused its provider or region. `circuit`: its provider does not answer. */
export type HeldBy = 'paused' | 'circuit';

const CENTS = {
  to: (value: Cents | null) => value?.toString() ?? null,
  from: (value: string | null) => (value === null ? null : toCents(value)),
};

@Entity('operations')
export class Operation {
  @PrimaryColumn('uuid') id!: OperationId;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('text') type!: OperationType;
  @Column('text') state!: OperationState;
  /** The plan that a plan change leads to; null for other operations. */
  @Column('uuid', { name: 'plan_id', nullable: true }) planId!: PlanId | null;
  /** Its price when it was asked for, which is what it will cost. */
  @Column('bigint', { name: 'price_cents', nullable: true, transformer: CENTS }) priceCents!: Cents | null;
  @Column('text', { name: 'price_currency', nullable: true }) priceCurrency!: string | null;
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
  /** Why no call is made although its time has come. */
  @Column('text', { name: 'held_by', nullable: true }) heldBy!: HeldBy | null;
  /** An operator gave it up while a worker was at it: whatever the call brings is cleaned up. */
  @Column('timestamptz', { name: 'abandoned_at', nullable: true }) abandonedAt!: Date | null;
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
  /** Masked and bounded, as `mask.ts` makes them. */
  @Column('jsonb', { nullable: true }) request!: object | null;
  @Column('jsonb', { nullable: true }) reply!: object | null;
}

/** What could not be settled, and a person should look at. */
@Entity('findings')
export class Finding {
  @PrimaryColumn('uuid') id!: Branded<'FindingId'>;
  @Column('text') kind!: string;
  @Column('uuid', { name: 'addon_id', nullable: true }) addonId!: AddonId | null;
  /** With `resource`: what a provider holds under its own name. */
  @Column('uuid', { name: 'provider_id', nullable: true }) providerId!: ProviderId | null;
  @Column('text', { nullable: true }) resource!: string | null;
  @Column('text') detail!: string;
  /** What it costs somebody each month, as the database has it; null: not known. */
  @Column('bigint', { name: 'monthly_cents', nullable: true }) monthlyCents!: string | null;
  @Column('text', { name: 'monthly_currency', nullable: true }) monthlyCurrency!: string | null;
  /** Its removal at the provider was asked for, and this is when to try next; while one is tried, when that is given up. */
  @Column('timestamptz', { name: 'removal_due_at', nullable: true }) removalDueAt!: Date | null;
  @Column('timestamptz', { name: 'removal_nudged_until', nullable: true }) removalNudgedUntil!: Date | null;
  @Column('integer', { name: 'removal_attempts' }) removalAttempts!: number;
  @Column('text', { name: 'removal_error', nullable: true }) removalError!: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'resolved_at', nullable: true }) resolvedAt!: Date | null;
  /** Who closed it; null: nobody, or Souk itself. */
  @Column('text', { name: 'resolved_by', nullable: true }) resolvedBy!: string | null;
  @Column('text', { nullable: true }) resolution!: string | null;
}
