import { Injectable } from '@nestjs/common';
import { accountErrors } from '../../accounts/accounts.errors.js';
import { mayUse, type Actor } from '../../accounts/actor.js';
import { AppRepository } from '../../apps/app.repository.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { addonErrors } from '../../addons/addons.errors.js';
import { attachmentErrors } from '../../attachments/attachments.errors.js';
import type { ActionDefinition } from '../../catalog/action-definition.js';
import { Clock } from '../../kernel/clock.js';
import type { Tx } from '../../kernel/db/database.js';
import { SoukError } from '../../kernel/errors.js';
import { actionErrors } from './actions.errors.js';

/**
 * Who may have what done. A query is for everybody who may use an app that has the add-on, a command for those who may
 * use the app that owns it, by a token that may change add-ons.
 */
@Injectable()
export class ActionAccess {
  constructor(
    private readonly clock: Clock,
    private readonly apps: AppRepository,
    private readonly addons: AddonRepository,
  ) {}

  /** The add-on, with what can be done to it. */
  async getAddon(tx: Tx, actor: Actor, identity: string): Promise<Addon> {
    const addon = await this.addons.getForActor(tx, actor, identity, this.clock.now());
    if (addon.removedAt !== null) throw addonErrors.addon_not_found();
    return addon;
  }

  /** An action that the service has now, which the actor may run. */
  async get(
    tx: Tx,
    actor: Actor,
    identity: string,
    name: string,
  ): Promise<{ addon: Addon; action: ActionDefinition }> {
    const addon = await this.getAddon(tx, actor, identity);
    const action = addon.plan.addonService.actions.find((one) => one.name === name);
    if (action === undefined) throw actionErrors.action_not_found();
    await this.assertMay(tx, actor, addon, action.kind);
    return { addon, action };
  }

  async assertMay(tx: Tx, actor: Actor, addon: Addon, kind: ActionDefinition['kind']): Promise<void> {
    if (kind === 'query') return;
    if (!mayUse(actor, 'addons:write'))
      throw accountErrors.forbidden({ message: 'This needs a token with the scope addons:write.' });
    if (await this.mayUseOwner(tx, actor, addon)) return;
    throw attachmentErrors.addon_of_another_app({
      message: `${addon.name} belongs to another app, whose members alone may run this.`,
    });
  }

  private async mayUseOwner(tx: Tx, actor: Actor, addon: Addon): Promise<boolean> {
    try {
      await this.apps.getForActor(tx, actor, addon.appId);
      return true;
    } catch (error) {
      if (error instanceof SoukError && error.spec.status === 404) return false;
      throw error;
    }
  }
}
