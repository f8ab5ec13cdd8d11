import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AddonHistory } from '../../addons/addon-history.js';
import { addonNameOf, parseAddonName, parseOptions } from '../../addons/addon.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { addonErrors } from '../../addons/addons.errors.js';
import type { App } from '../../apps/app.entity.js';
import { generatedSuffix } from '../../apps/app-name.js';
import { AppRepository } from '../../apps/app.repository.js';
import { Attach } from '../../attachments/attach.js';
import { planName, type AddonService, type Plan } from '../../catalog/catalog.entity.js';
import { catalogErrors } from '../../catalog/catalog.errors.js';
import { Storefront } from '../../catalog/storefront.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { underGeneratedName } from '../../kernel/generated-name.js';
import { newId, type AddonId } from '../../kernel/ids.js';
import { BeginOperation } from '../begin-operation.js';
import { PauseRepository } from '../pause.repository.js';

export interface ProvisionAddonInput {
  /** Name or id of the app. */
  app: string;
  /** `service` or `service:plan`. */
  plan: string;
  /** null: a generated one. */
  name: string | null;
  /** null: the default attachment name. */
  attachmentName: string | null;
  options: Record<string, unknown>;
}

/** The tables that a provision reads and writes. */
@Injectable()
export class ProvisionRepositories {
  constructor(
    readonly apps: AppRepository,
    readonly addons: AddonRepository,
    readonly storefront: Storefront,
    readonly pauses: PauseRepository,
  ) {}
}

/** Commits the add-on, its attachment, its operation and its job together; the provider is called later. */
@Injectable()
export class ProvisionAddon {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly repositories: ProvisionRepositories,
    private readonly attach: Attach,
    private readonly history: AddonHistory,
    private readonly begin: BeginOperation,
  ) {}

  /** The id of the add-on, which is `provisioning`. */
  async run(actor: Actor, input: ProvisionAddonInput): Promise<AddonId> {
    const options = parseOptions(input.options);
    if (input.name === null)
      return underGeneratedName(generatedSuffix, 'addon_name_taken', (suffix) =>
        this.request(actor, input, options, (service) => addonNameOf(service.name, suffix)),
      );
    const name = parseAddonName(input.name);
    return this.request(actor, input, options, () => name);
  }

  private async request(
    actor: Actor,
    input: ProvisionAddonInput,
    options: Record<string, string>,
    nameFor: (service: AddonService) => string,
  ): Promise<AddonId> {
    const { apps, addons, storefront } = this.repositories;
    return this.db.transaction('provision.request', async (tx) => {
      const app = await apps.lockForActor(tx, actor, input.app);
      const plan = await storefront.getInstallable(tx, actor, input.plan);
      await this.assertFits(tx, app, plan);
      const now = this.clock.now();
      const addonId = newId<AddonId>();
      await addons.insert(
        tx,
        {
          id: addonId,
          name: nameFor(plan.addonService),
          appId: app.id,
          addonServiceId: plan.addonServiceId,
          planId: plan.id,
          region: app.region,
          state: 'provisioning',
          providerId: null,
          provisionMessage: null,
          billedCents: plan.priceCents,
          billedCurrency: plan.priceCurrency,
          createdAt: now,
          updatedAt: now,
          provisionedAt: null,
          deleteRequestedAt: null,
          removedAt: null,
          failed: false,
        },
        options,
      );
      await this.history.enterState(tx, addonId, 'provisioning', now);
      await this.history.enterOwner(tx, addonId, app.id, app.ownerId, now);
      const attachment = await this.attach.run(tx, app, addonId, plan.addonService, input.attachmentName);
      await this.begin.run(tx, 'provision', addonId, authorOf(actor), {
        app: app.id,
        plan: planName(plan),
        attachment: attachment.name,
      });
      return addonId;
    });
  }

  private async assertFits(tx: Tx, app: App, plan: Plan): Promise<void> {
    const service = plan.addonService;
    await this.repositories.pauses.assertNotPaused(tx, plan, app.region);
    if (!offers(service, plan, app.region))
      throw catalogErrors.region_unavailable({
        message: `${planName(plan)} is not offered in the region ${app.region}.`,
      });
    if (
      !service.requires.includes('many_per_app') &&
      (await this.repositories.addons.hasService(tx, app.id, service.id))
    )
      throw addonErrors.one_per_app({
        message: `${app.name} has an add-on of ${service.name} already, and the service allows one for each app.`,
      });
  }
}

/** Whether a plan can be had in a region. */
export function offers(service: AddonService, plan: Plan, region: string): boolean {
  const regions = plan.regions.length > 0 ? plan.regions : service.regions;
  return regions.includes('*') || regions.includes(region);
}
