import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import type { Actor } from '../accounts/actor.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import type { Tx } from '../kernel/db/database.js';
import { isId, type AddonServiceId, type PlanId, type ProviderId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Secret } from '../kernel/secret.js';
import { AddonService, partsOfPlanName, Plan, Provider, type ServiceState } from './catalog.entity.js';
import { catalogErrors } from './catalog.errors.js';

/** How to reach a provider and prove who we are. */
export interface ProviderAccess {
  slug: string;
  baseUrl: string;
  /** null: there is no dashboard. */
  ssoUrl: string | null;
  bundled: boolean;
  manifestDigest: string;
  password: Secret;
  ssoSalt: Secret;
}

@Injectable()
export class CatalogRepository {
  constructor(private readonly keys: KeyRing) {}

  async upsertProvider(
    tx: Tx,
    provider: Omit<
      Provider,
      'secretsCiphertext' | 'secretsKeyId' | 'clientSecretCiphertext' | 'clientSecretKeyId'
    >,
    secrets: { password: string; ssoSalt: string },
  ): Promise<void> {
    const sealed = this.keys.seal(JSON.stringify(secrets), providerContext(provider.id));
    const row = { ...provider, secretsCiphertext: sealed.ciphertext, secretsKeyId: sealed.keyId };
    await tx
      .createQueryBuilder()
      .insert()
      .into(Provider)
      .values(row)
      .orUpdate(
        [
          'bundled',
          'base_url',
          'sso_url',
          'inventory',
          'secrets_ciphertext',
          'secrets_key_id',
          'manifest_digest',
          'updated_at',
        ],
        ['id'],
      )
      .execute();
  }

  /** The names that apps have by now were made with the prefix: while there are add-ons it stays. */
  async assertPrefixKept(tx: Tx, id: AddonServiceId, prefix: string): Promise<void> {
    const rows: { prefix: string }[] = await tx.query(
      `SELECT s.config_vars_prefix AS prefix FROM addon_services s WHERE s.id = $1 AND s.config_vars_prefix <> $2
         AND EXISTS (SELECT FROM addons a WHERE a.addon_service_id = s.id AND a.removed_at IS NULL)`,
      [id, prefix],
    );
    const [kept] = rows;
    if (kept !== undefined)
      throw catalogErrors.prefix_in_use({
        message: `api.config_vars_prefix must stay ${kept.prefix}: apps have config vars that were named by it.`,
      });
  }

  async upsertService(tx: Tx, service: AddonService): Promise<void> {
    // The lifecycle stage is the operator's to move; an import leaves it alone.
    const columns = [
      'human_name',
      'config_vars_prefix',
      'config_vars',
      'regions',
      'requires',
      'default_attachment',
      'compliance',
      'cli_plugin_name',
      'actions',
      'updated_at',
    ];
    await tx
      .createQueryBuilder()
      .insert()
      .into(AddonService)
      .values(service)
      .orUpdate(columns, ['id'])
      .execute();
  }

  async upsertPlan(tx: Tx, plan: Omit<Plan, 'addonService'>): Promise<void> {
    const columns = [
      'human_name',
      'description',
      'price_cents',
      'price_currency',
      'price_metered',
      'price_contract',
      'is_default',
      'visible',
      'availability',
      'features',
      'regions',
      'compliance',
      'position',
      'async_deadline_seconds',
      'updated_at',
    ];
    await tx.createQueryBuilder().insert().into(Plan).values(plan).orUpdate(columns, ['id']).execute();
  }

  /** What the provider proves itself with from now on. */
  async setClientSecret(tx: Tx, id: ProviderId, secret: Secret): Promise<void> {
    const sealed = this.keys.seal(secret.reveal(), clientSecretContext(id));
    await tx.update(
      Provider,
      { id },
      { clientSecretCiphertext: sealed.ciphertext, clientSecretKeyId: sealed.keyId },
    );
  }

  /** Moves a service to another stage; false when it is no longer in the one it was moved from. */
  async moveState(
    tx: Tx,
    id: AddonServiceId,
    from: ServiceState,
    to: ServiceState,
    at: Date,
  ): Promise<boolean> {
    const result = await tx.update(AddonService, { id, state: from }, { state: to, updatedAt: at });
    return result.affected === 1;
  }

  /** What the provider proves itself with when it exchanges a grant; null: it was given nothing. */
  async findClientSecret(tx: Tx, id: ProviderId): Promise<Secret | null> {
    const provider = await tx.findOneByOrFail(Provider, { id });
    const { clientSecretCiphertext: ciphertext, clientSecretKeyId: keyId } = provider;
    if (ciphertext === null || keyId === null) return null;
    return new Secret(this.keys.open({ ciphertext, keyId }, clientSecretContext(id)));
  }

  /**
   * Takes plans out of the market that the manifest no longer has: deleted if nobody ever had one, else hidden, so
   * that holders, bills and history keep it.
   */
  async retirePlansExcept(tx: Tx, serviceId: AddonServiceId, keep: PlanId[], at: Date): Promise<void> {
    // An add-on that is being created holds its plan: waiting for it first lets the next statement see it.
    await tx.query(
      'SELECT id FROM plans WHERE addon_service_id = $1 AND NOT (id = ANY($2::uuid[])) ORDER BY id FOR UPDATE',
      [serviceId, keep],
    );
    await tx.query(
      `DELETE FROM plans p WHERE addon_service_id = $1 AND NOT (id = ANY($2::uuid[]))
       AND NOT EXISTS (SELECT 1 FROM addons WHERE plan_id = p.id)
       AND NOT EXISTS (SELECT 1 FROM addon_plan_periods WHERE plan_id = p.id)
       AND NOT EXISTS (SELECT 1 FROM operations WHERE plan_id = p.id)`,
      [serviceId, keep],
    );
    await tx.query(
      `UPDATE plans SET visible = false, is_default = false, updated_at = $3
       WHERE addon_service_id = $1 AND NOT (id = ANY($2::uuid[])) AND visible`,
      [serviceId, keep, at],
    );
  }

  /** Before an import marks another plan as the default: there is never more than one. */
  async clearDefaults(tx: Tx, serviceId: AddonServiceId): Promise<void> {
    await tx.update(Plan, { addonServiceId: serviceId, isDefault: true }, { isDefault: false });
  }

  /** Those that take new add-ons; of those in alpha, the ones that the actor makes or was invited to. */
  async listServices(tx: Tx, range: Range<'name' | 'id'>, actor: Actor): Promise<Page<AddonService>> {
    const query = tx.createQueryBuilder(AddonService, 'service').where("service.state <> 'shutdown'");
    if (!actor.isOperator)
      query.andWhere(
        `(service.state <> 'alpha'
          OR EXISTS (SELECT 1 FROM service_makers m WHERE m.addon_service_id = service.id AND m.account_id = :account)
          OR EXISTS (SELECT 1 FROM service_invitations i WHERE i.addon_service_id = service.id AND i.email = lower(:email)))`,
        { account: actor.accountId, email: actor.email },
      );
    return pageOf(query, range, {
      columns: { id: 'service.id', name: 'service.name' },
      valueOf: (service, field) => service[field],
    });
  }

  async getService(tx: Tx, identity: string): Promise<AddonService> {
    const service = await tx.findOneBy(
      AddonService,
      isId(identity) ? { id: identity as AddonServiceId } : { name: identity },
    );
    if (service === null)
      throw catalogErrors.service_not_found({
        message: `Couldn't find the add-on service "${identity.slice(0, 60)}"; see "heroku addons:services".`,
      });
    return service;
  }

  /** The plans that the manifest has, cheapest first as the manifest orders them. At most 1,000. */
  async listPlans(tx: Tx, serviceId: AddonServiceId): Promise<Plan[]> {
    return this.plans(tx)
      .where('plan.addon_service_id = :serviceId AND plan.visible', { serviceId })
      .orderBy('plan.position', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** `service`, `service:plan` or a plan's id, as users type it; the service alone means its default plan. */
  async findPlanByName(tx: Tx, identity: string): Promise<Plan> {
    if (isId(identity)) {
      const plan = await this.plans(tx).where('plan.id = :identity', { identity }).getOne();
      if (plan === null) throw catalogErrors.plan_not_found();
      return plan;
    }
    const { service: serviceName, slug } = partsOfPlanName(identity);
    const service = await this.getService(tx, serviceName);
    const plan = await this.plans(tx)
      .where('plan.addon_service_id = :serviceId', { serviceId: service.id })
      .andWhere(slug === null || slug === '' ? 'plan.is_default AND plan.visible' : 'plan.slug = :slug', {
        slug,
      })
      .getOne();
    if (plan === null)
      throw catalogErrors.plan_not_found({
        message: `Couldn't find the plan "${identity.slice(0, 100)}"; see "heroku addons:plans ${service.name}".`,
      });
    return plan;
  }

  /** A plan of one service by its slug or id, hidden ones too. */
  async findPlanOf(tx: Tx, serviceId: AddonServiceId, identity: string): Promise<Plan | null> {
    return this.plans(tx)
      .where('plan.addon_service_id = :serviceId', { serviceId })
      .andWhere(isId(identity) ? 'plan.id = :identity' : 'plan.slug = :identity', { identity })
      .getOne();
  }

  /** Whether any service has a plan of this name, `service:plan`, or of this id. */
  async hasPlan(tx: Tx, identity: string): Promise<boolean> {
    const { service, slug } = partsOfPlanName(identity);
    const query = this.plans(tx);
    // Those that anybody sees: what is hidden stays so.
    query.where("service.state IN ('beta', 'ga') AND plan.visible AND plan.availability = 'all'");
    if (isId(identity)) query.andWhere('plan.id = :identity', { identity });
    else query.andWhere('service.name = :service AND plan.slug = :slug', { service, slug: slug ?? '' });
    return query.getExists();
  }

  async access(tx: Tx, providerId: ProviderId): Promise<ProviderAccess> {
    return this.open(await tx.findOneByOrFail(Provider, { id: providerId }));
  }

  async findAccessBySlug(tx: Tx, slug: string): Promise<(ProviderAccess & { id: ProviderId }) | null> {
    const provider = await tx.findOneBy(Provider, { slug });
    return provider === null ? null : { id: provider.id, ...this.open(provider) };
  }

  /** Written out, since a find with relations asks twice: for the ids, then for the rows. */
  private plans(tx: Tx): SelectQueryBuilder<Plan> {
    return tx.createQueryBuilder(Plan, 'plan').innerJoinAndSelect('plan.addonService', 'service');
  }

  private open(provider: Provider): ProviderAccess {
    const sealed = { ciphertext: provider.secretsCiphertext, keyId: provider.secretsKeyId };
    const secrets = JSON.parse(this.keys.open(sealed, providerContext(provider.id))) as Record<
      string,
      string
    >;
    return {
      slug: provider.slug,
      baseUrl: provider.baseUrl,
      ssoUrl: provider.ssoUrl,
      bundled: provider.bundled,
      manifestDigest: provider.manifestDigest,
      password: new Secret(secrets.password ?? ''),
      ssoSalt: new Secret(secrets.ssoSalt ?? ''),
    };
  }
}

/** Bind a provider's encrypted secrets to its row. */
export function providerContext(id: string): string {
  return `providers:${id}`;
}
export function clientSecretContext(id: string): string {
  return `providers.client_secret:${id}`;
}
