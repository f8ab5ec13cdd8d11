import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Author } from '../accounts/actor.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import { namedId, type AddonServiceId, type PlanId, type ProviderId } from '../kernel/ids.js';
import { toCents } from '../kernel/money.js';
import { CatalogRepository, type ProviderAccess } from './catalog.repository.js';
import type { Manifest } from './manifest.js';

/**
 * Writes a manifest into the catalogue. Ids follow from the slugs, so the same manifest gives the same ids everywhere
 * and storing it again changes nothing. A plan that somebody has or had is hidden when it leaves, never deleted.
 */
@Injectable()
export class StoreManifest {
  constructor(
    private readonly clock: Clock,
    private readonly catalog: CatalogRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** Two manifests of one service wait for one another, until the end of the transaction. */
  async lock(tx: Tx, slug: string): Promise<void> {
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('souk.manifest.' || $1))", [slug]);
  }

  /** Under the lock. `bundled` providers belong to this installation and run beside it. */
  async run(tx: Tx, author: Author, manifest: Manifest, options: { bundled: boolean }): Promise<void> {
    const providerId = providerIdOf(manifest.id);
    const serviceId = serviceIdOf(manifest.id);
    const { password, ssoSalt, ...open } = manifest;
    const secrets = { password, ssoSalt };
    const manifestDigest = createHash('sha256').update(JSON.stringify(open)).digest('hex');
    const now = this.clock.now();
    const known = await this.catalog.findAccessBySlug(tx, manifest.id);
    if (known !== null && isSame(known, manifest, manifestDigest, options.bundled)) return;
    await this.catalog.assertPrefixKept(tx, serviceId, manifest.configVarsPrefix);
    await this.catalog.upsertProvider(
      tx,
      {
        id: providerId,
        slug: manifest.id,
        bundled: options.bundled,
        baseUrl: manifest.baseUrl,
        ssoUrl: manifest.ssoUrl,
        inventory: manifest.inventory,
        manifestDigest,
        createdAt: now,
        updatedAt: now,
      },
      secrets,
    );
    await this.catalog.upsertService(tx, {
      id: serviceId,
      providerId,
      name: manifest.id,
      humanName: manifest.name,
      state: options.bundled ? 'ga' : 'alpha',
      configVarsPrefix: manifest.configVarsPrefix,
      configVars: manifest.configVars,
      regions: manifest.regions,
      requires: manifest.requires,
      defaultAttachment: manifest.defaultAttachment,
      compliance: manifest.compliance,
      cliPluginName: manifest.cliPluginName,
      actions: manifest.actions,
      createdAt: now,
      updatedAt: now,
    });
    await this.catalog.clearDefaults(tx, serviceId);
    const plans = plansOf(manifest, serviceId, now);
    for (const plan of plans) await this.catalog.upsertPlan(tx, plan);
    await this.catalog.retirePlansExcept(
      tx,
      serviceId,
      plans.map(({ id }) => id),
      now,
    );
    await this.audit.add(tx, author, {
      action: 'manifest.imported',
      subject: { kind: 'addon_service', id: serviceId },
      details: { service: manifest.id, plans: manifest.plans.map(({ id }) => id) },
    });
  }
}

export function providerIdOf(slug: string): ProviderId {
  return namedId<ProviderId>(`provider:${slug}`);
}

export function serviceIdOf(slug: string): AddonServiceId {
  return namedId<AddonServiceId>(`service:${slug}`);
}

function isSame(known: ProviderAccess, manifest: Manifest, digest: string, bundled: boolean): boolean {
  return (
    known.manifestDigest === digest &&
    known.bundled === bundled &&
    known.password.reveal() === manifest.password &&
    known.ssoSalt.reveal() === manifest.ssoSalt
  );
}

function plansOf(manifest: Manifest, serviceId: AddonServiceId, now: Date) {
  const anyDefault = manifest.plans.some((plan) => plan.default);
  return manifest.plans.map((plan, position) => ({
    id: namedId<PlanId>(`plan:${manifest.id}:${plan.id}`),
    addonServiceId: serviceId,
    slug: plan.id,
    humanName: plan.name,
    description: plan.description,
    priceCents: toCents(plan.cents),
    priceCurrency: plan.currency,
    priceMetered: plan.metered,
    priceContract: plan.contract,
    isDefault: anyDefault ? plan.default : position === 0,
    visible: true,
    availability: plan.availability,
    features: plan.features,
    regions: plan.regions,
    compliance: plan.compliance,
    position,
    asyncDeadlineSeconds: plan.asyncDeadlineSeconds,
    createdAt: now,
    updatedAt: now,
  }));
}
