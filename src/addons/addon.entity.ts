import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { App } from '../apps/app.entity.js';
import { Plan } from '../catalog/catalog.entity.js';
import type { Branded, AddonId, AddonServiceId, AppId, PlanId } from '../kernel/ids.js';
import { toCents, type Cents } from '../kernel/money.js';

const CENTS = { to: (value: Cents) => value.toString(), from: (value: string) => toCents(value) };

/** The public states (Platform API reference, add-on `state`). */
export type AddonState = 'provisioning' | 'provisioned' | 'deprovisioning' | 'deprovisioned';

@Entity('addons')
export class Addon {
  @PrimaryColumn('uuid') id!: AddonId;
  @Column('text') name!: string;
  @Column('uuid', { name: 'app_id' }) appId!: AppId;
  @ManyToOne(() => App)
  @JoinColumn({ name: 'app_id' })
  app!: App;
  @Column('uuid', { name: 'addon_service_id' }) addonServiceId!: AddonServiceId;
  @Column('uuid', { name: 'plan_id' }) planId!: PlanId;
  @ManyToOne(() => Plan)
  @JoinColumn({ name: 'plan_id' })
  plan!: Plan;
  @Column('text') region!: string;
  @Column('text') state!: AddonState;
  @Column('text', { name: 'provider_id', nullable: true }) providerId!: string | null;
  @Column('text', { name: 'provision_message', nullable: true }) provisionMessage!: string | null;
  @Column('bytea', { name: 'options_ciphertext' }) optionsCiphertext!: Buffer;
  @Column('text', { name: 'options_key_id' }) optionsKeyId!: string;
  @Column('bytea', { name: 'config_ciphertext', nullable: true }) configCiphertext!: Buffer | null;
  @Column('text', { name: 'config_key_id', nullable: true }) configKeyId!: string | null;
  @Column('bigint', { name: 'billed_cents', transformer: CENTS }) billedCents!: Cents;
  @Column('text', { name: 'billed_currency' }) billedCurrency!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'provisioned_at', nullable: true }) provisionedAt!: Date | null;
  @Column('timestamptz', { name: 'delete_requested_at', nullable: true }) deleteRequestedAt!: Date | null;
  @Column('timestamptz', { name: 'removed_at', nullable: true }) removedAt!: Date | null;
  @Column('boolean') failed!: boolean;
}

export type NoticeSeverity = 'info' | 'warning' | 'critical';

/** What a provider has to say about an add-on, one open row a condition. */
@Entity('addon_notices')
export class AddonNotice {
  @PrimaryColumn('uuid') id!: Branded<'NoticeId'>;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('text') key!: string;
  @Column('text') severity!: NoticeSeverity;
  @Column('text') message!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'cleared_at', nullable: true }) clearedAt!: Date | null;
}
