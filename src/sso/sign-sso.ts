import { Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { AddonRepository } from '../addons/addon.repository.js';
import type { App } from '../apps/app.entity.js';
import { CatalogRepository } from '../catalog/catalog.repository.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import type { AccountId } from '../kernel/ids.js';
import type { Range } from '../kernel/range.js';
import { isWebAddress, ssoParams, type SsoForm } from './sso.js';
import { ssoErrors } from './sso.errors.js';

/** A provider's menu of the user's other add-ons needs no more. */
const FIRST_ADDONS: Range<'id' | 'name'> = {
  field: 'name',
  start: null,
  exclusive: false,
  end: null,
  order: 'asc',
  max: 100,
};

/** Makes the form that signs an account on at a provider. Providers refuse it after a few minutes: it is never kept. */
@Injectable()
export class SignSso {
  constructor(
    private readonly clock: Clock,
    private readonly addons: AddonRepository,
    private readonly catalog: CatalogRepository,
  ) {}

  /** The caller knows that the account may use `contextApp`, and that this app owns the add-on or has it attached. */
  async run(
    tx: Tx,
    account: { id: AccountId; email: string },
    addon: Addon,
    contextApp: App,
  ): Promise<SsoForm> {
    const { addonService: service } = addon.plan;
    if (addon.state !== 'provisioned' || addon.deleteRequestedAt !== null)
      throw ssoErrors.sso_unavailable({
        message: `${addon.name} cannot be opened while it is being created or destroyed.`,
      });
    const { ssoUrl, ssoSalt } = await this.catalog.access(tx, service.providerId);
    if (ssoUrl === null || !isWebAddress(ssoUrl))
      throw ssoErrors.sso_unavailable({ message: `Add-ons of ${service.name} have no dashboard to open.` });
    const { items } = await this.addons.listForActor(
      tx,
      { accountId: account.id },
      contextApp.id,
      FIRST_ADDONS,
    );
    const services = new Map(items.map(({ plan }) => [plan.addonService.name, plan.addonService.humanName]));
    const params = ssoParams(
      {
        addonId: addon.id,
        providerId: addon.providerId ?? addon.id,
        salt: ssoSalt.reveal(),
        account,
        app: addon.app.name,
        contextApp: contextApp.name,
        service: { slug: service.name, name: service.humanName },
        services: [...services].map(([slug, name]) => ({ slug, name })),
      },
      this.clock.now(),
    );
    return { method: 'post', action: ssoUrl, params };
  }
}
