import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { AddonServiceId, PlanId, ProviderId } from '../kernel/ids.js';
import { toCents, type Cents } from '../kernel/money.js';
import type { ActionDefinition } from './action-definition.js';

const CENTS = { to: (value: Cents) => value.toString(), from: (value: string) => toCents(value) };

@Entity('providers')
export class Provider {
  @PrimaryColumn('uuid') id!: ProviderId;
  @Column('text') slug!: string;
  @Column('boolean') bundled!: boolean;
  @Column('text', { name: 'base_url' }) baseUrl!: string;
  @Column('text', { name: 'sso_url', nullable: true }) ssoUrl!: string | null;
  /** It lists what it holds when it is asked. */
  @Column('boolean') inventory!: boolean;
  @Column('bytea', { name: 'secrets_ciphertext' }) secretsCiphertext!: Buffer;
  @Column('text', { name: 'secrets_key_id' }) secretsKeyId!: string;
  /** What the provider proves itself with when it exchanges a grant; null: it was given none yet. */
  @Column('bytea', { name: 'client_secret_ciphertext', nullable: true })
  clientSecretCiphertext!: Buffer | null;
  @Column('text', { name: 'client_secret_key_id', nullable: true }) clientSecretKeyId!: string | null;
  @Column('text', { name: 'manifest_digest' }) manifestDigest!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

/** Whom a plan is for: everybody; whoever knows its name; makers and invited accounts. */
export type Availability = 'all' | 'hidden' | 'invited';

export type ServiceState = 'alpha' | 'beta' | 'ga' | 'shutdown';

@Entity('addon_services')
export class AddonService {
  @PrimaryColumn('uuid') id!: AddonServiceId;
  @Column('uuid', { name: 'provider_id' }) providerId!: ProviderId;
  @Column('text') name!: string;
  @Column('text', { name: 'human_name' }) humanName!: string;
  @Column('text') state!: ServiceState;
  @Column('text', { name: 'config_vars_prefix' }) configVarsPrefix!: string;
  @Column('text', { name: 'config_vars', array: true }) configVars!: string[];
  @Column('text', { array: true }) regions!: string[];
  @Column('text', { array: true }) requires!: string[];
  @Column('text', { name: 'default_attachment', nullable: true }) defaultAttachment!: string | null;
  @Column('text', { array: true }) compliance!: string[];
  @Column('text', { name: 'cli_plugin_name', nullable: true }) cliPluginName!: string | null;
  @Column('jsonb') actions!: ActionDefinition[];
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

@Entity('plans')
export class Plan {
  @PrimaryColumn('uuid') id!: PlanId;
  @Column('uuid', { name: 'addon_service_id' }) addonServiceId!: AddonServiceId;
  @ManyToOne(() => AddonService)
  @JoinColumn({ name: 'addon_service_id' })
  addonService!: AddonService;
  /** The plan's name without its service: what the provider is sent. */
  @Column('text') slug!: string;
  @Column('text', { name: 'human_name' }) humanName!: string;
  @Column('text') description!: string;
  @Column('bigint', { name: 'price_cents', transformer: CENTS }) priceCents!: Cents;
  @Column('text', { name: 'price_currency' }) priceCurrency!: string;
  @Column('boolean', { name: 'price_metered' }) priceMetered!: boolean;
  @Column('boolean', { name: 'price_contract' }) priceContract!: boolean;
  @Column('boolean', { name: 'is_default' }) isDefault!: boolean;
  /** Whether the manifest still has it: who holds a plan that left keeps it. */
  @Column('boolean') visible!: boolean;
  @Column('text') availability!: Availability;
  @Column('jsonb') features!: object;
  @Column('text', { array: true }) regions!: string[];
  @Column('text', { array: true }) compliance!: string[];
  @Column('integer') position!: number;
  /** How long its provider may take after a 202. */
  @Column('integer', { name: 'async_deadline_seconds' }) asyncDeadlineSeconds!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

/** The parts of `service:plan` as somebody typed it. No slug has a colon, so that all after the first is the slug. */
export function partsOfPlanName(typed: string): { service: string; slug: string | null } {
  const colon = typed.indexOf(':');
  return colon < 0
    ? { service: typed, slug: null }
    : { service: typed.slice(0, colon), slug: typed.slice(colon + 1) };
}

/** `souk-postgresql:essential-0`. */
export function planName(plan: Pick<Plan, 'slug' | 'addonService'>): string {
  return `${plan.addonService.name}:${plan.slug}`;
}
