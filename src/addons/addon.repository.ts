import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { catalogErrors } from '../catalog/catalog.errors.js';
import { appIdsOf, mayUseApp, type Viewer } from '../apps/app-access.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AddonId, type AddonServiceId, type AppId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Addon, type AddonState } from './addon.entity.js';
import { addonErrors } from './addons.errors.js';

/** How long a creation that failed can still be asked about by its name: clients poll for it. */
const FAILED_VISIBLE_MS = 24 * 3_600_000;

type NewAddon = Omit<
  Addon,
  'app' | 'plan' | 'optionsCiphertext' | 'optionsKeyId' | 'configCiphertext' | 'configKeyId'
>;

export type SealedConfig = Pick<Addon, 'configCiphertext' | 'configKeyId'>;

@Injectable()
export class AddonRepository {
  constructor(private readonly keys: KeyRing) {}

  async insert(tx: Tx, addon: NewAddon, options: Record<string, string>): Promise<void> {
    const sealed = this.keys.seal(JSON.stringify(options), optionsContext(addon.id));
    await tx
      .insert(Addon, { ...addon, optionsCiphertext: sealed.ciphertext, optionsKeyId: sealed.keyId })
      .catch(onConstraint('addons_name_key', addonErrors.addon_name_taken))
      // A push of the service's manifest dropped the plan just now.
      .catch(onConstraint('addons_plan_id_fkey', catalogErrors.plan_unavailable));
  }

  async get(tx: Tx, id: AddonId): Promise<Addon> {
    const addon = await this.query(tx).where('addon.id = :id', { id }).getOne();
    if (addon === null) throw addonErrors.addon_not_found();
    return addon;
  }

  /** Locks the row: whoever changes an add-on's state holds this. */
  async lock(tx: Tx, id: AddonId): Promise<Addon> {
    await tx.query('SELECT 1 FROM addons WHERE id = $1 FOR UPDATE', [id]);
    return this.get(tx, id);
  }

  /**
   * The add-on of this name or id, if the actor may use the app that owns it or one that it is attached to; with an
   * app, which the actor may use, one that this app owns or has attached. A creation that failed is still found for a
   * day, so that who waits for it learns of it.
   */
  async getForActor(
    tx: Tx,
    actor: Viewer,
    identity: string,
    now: Date,
    appId: AppId | null = null,
  ): Promise<Addon> {
    const query = this.query(tx)
      .where(mayUseAddon(':viewer'), { viewer: actor.accountId })
      .andWhere(isId(identity) ? 'addon.id = :identity' : 'addon.name = :identity', { identity })
      .andWhere('(addon.removed_at IS NULL OR (addon.failed AND addon.removed_at > :since))', {
        since: new Date(now.getTime() - FAILED_VISIBLE_MS),
      })
      .orderBy('addon.removed_at', 'DESC', 'NULLS FIRST')
      .limit(1);
    if (appId !== null)
      query.andWhere(
        `(addon.app_id = :appId OR EXISTS (SELECT 1 FROM attachments at
          WHERE at.addon_id = addon.id AND at.app_id = :appId AND at.detached_at IS NULL))`,
        { appId },
      );
    const addon = await query.getOne();
    if (addon === null) throw addonErrors.addon_not_found();
    return addon;
  }

  /** The live add-ons that the actor's apps own or have attached; with an app, which the actor may use, those of it alone. */
  async listForActor(
    tx: Tx,
    actor: Viewer,
    appId: AppId | null,
    range: Range<'id' | 'name'>,
  ): Promise<Page<Addon>> {
    const query = this.ofApps(tx, actor, appId);
    return pageOf(query, range, {
      columns: { id: 'addon.id', name: 'addon.name' },
      valueOf: (addon, field) => addon[field],
    });
  }

  /** The same of one service, by its name; at most 100. */
  async listByService(tx: Tx, actor: Viewer, service: string, appId: AppId | null): Promise<Addon[]> {
    return this.ofApps(tx, actor, appId)
      .andWhere('service.name = :service', { service })
      .orderBy('addon.created_at', 'ASC')
      .limit(100)
      .getMany();
  }

  /** The add-ons of an app whose deletion nobody asked for yet; at most 1,000, oldest first. */
  async listUndeleted(tx: Tx, appId: AppId): Promise<Addon[]> {
    return this.query(tx)
      .where('addon.app_id = :appId AND addon.removed_at IS NULL AND addon.delete_requested_at IS NULL', {
        appId,
      })
      .orderBy('addon.created_at', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** Whether the app owns a live add-on of the service, or has one attached; `except`: one that does not count. */
  async hasService(
    tx: Tx,
    appId: AppId,
    serviceId: AddonServiceId,
    except: AddonId | null = null,
  ): Promise<boolean> {
    const query = tx
      .createQueryBuilder(Addon, 'addon')
      .where(`addon.id IN ${addonIdsOf('= :appId')} AND addon.removed_at IS NULL`, { appId })
      .andWhere('addon.addon_service_id = :serviceId', { serviceId });
    if (except !== null) query.andWhere('addon.id <> :except', { except });
    return query.getExists();
  }

  /** Moves a state on; false when another transaction did so first. */
  async moveState(
    tx: Tx,
    id: AddonId,
    from: AddonState,
    to: AddonState,
    at: Date,
    also: Partial<NewAddon & SealedConfig> = {},
  ): Promise<boolean> {
    const removedAt = to === 'deprovisioned' ? { removedAt: at } : {};
    const result = await tx.update(
      Addon,
      { id, state: from },
      { ...also, ...removedAt, state: to, updatedAt: at },
    );
    return result.affected === 1;
  }

  async setDeleteRequested(tx: Tx, id: AddonId, at: Date): Promise<void> {
    await tx.update(Addon, { id }, { deleteRequestedAt: at, updatedAt: at });
  }

  /** Whether another live add-on of the service has this id at the provider. */
  async hasProviderId(
    tx: Tx,
    serviceId: AddonServiceId,
    providerId: string,
    except: AddonId,
  ): Promise<boolean> {
    return tx
      .createQueryBuilder(Addon, 'addon')
      .where('addon.addon_service_id = :serviceId AND addon.provider_id = :providerId', {
        serviceId,
        providerId,
      })
      .andWhere('addon.removed_at IS NULL AND addon.id <> :except', { except })
      .getExists();
  }

  /** The add-on has another plan from now on; false where it is no longer one that has a plan. */
  async setPlan(
    tx: Tx,
    id: AddonId,
    plan: Pick<Addon, 'planId' | 'billedCents' | 'billedCurrency' | 'provisionMessage'>,
    at: Date,
  ): Promise<boolean> {
    const result = await tx.update(Addon, { id, state: 'provisioned' }, { ...plan, updatedAt: at });
    return result.affected === 1;
  }

  async setProviderId(tx: Tx, id: AddonId, providerId: string): Promise<void> {
    await tx.update(Addon, { id }, { providerId });
  }

  async setConfig(tx: Tx, id: AddonId, config: Record<string, string>, at: Date): Promise<void> {
    await tx.update(Addon, { id }, { ...this.sealConfig(id, config), updatedAt: at });
  }

  async setProvisionMessage(tx: Tx, id: AddonId, message: string): Promise<void> {
    await tx.update(Addon, { id }, { provisionMessage: message });
  }

  /** A provider's config as it is stored. */
  sealConfig(id: AddonId, config: Record<string, string>): SealedConfig {
    const sealed = this.keys.seal(JSON.stringify(config), configContext(id));
    return { configCiphertext: sealed.ciphertext, configKeyId: sealed.keyId };
  }

  /** The provider's config under its own names; empty until provisioned. */
  configOf(addon: Pick<Addon, 'id'> & SealedConfig): Record<string, string> {
    if (addon.configCiphertext === null || addon.configKeyId === null) return {};
    const sealed = { ciphertext: addon.configCiphertext, keyId: addon.configKeyId };
    return JSON.parse(this.keys.open(sealed, configContext(addon.id))) as Record<string, string>;
  }

  optionsOf(addon: Addon): Record<string, string> {
    const sealed = { ciphertext: addon.optionsCiphertext, keyId: addon.optionsKeyId };
    return JSON.parse(this.keys.open(sealed, optionsContext(addon.id))) as Record<string, string>;
  }

  private query(tx: Tx): SelectQueryBuilder<Addon> {
    return tx
      .createQueryBuilder(Addon, 'addon')
      .innerJoinAndSelect('addon.app', 'app')
      .innerJoinAndSelect('addon.plan', 'plan')
      .innerJoinAndSelect('plan.addonService', 'service');
  }

  /** The live add-ons of the viewer's apps, or of one app that the viewer may use. */
  private ofApps(tx: Tx, { accountId }: Viewer, appId: AppId | null): SelectQueryBuilder<Addon> {
    const ids = addonIdsOf(appId === null ? `IN ${appIdsOf(':viewer')}` : '= :appId');
    return this.query(tx)
      .where(`addon.id IN ${ids}`, appId === null ? { viewer: accountId } : { appId })
      .andWhere('addon.removed_at IS NULL AND app.destroyed_at IS NULL');
  }
}

/** The ids of what some apps own or have attached: one look-up for each app, whatever other accounts have. */
function addonIdsOf(apps: string): string {
  return `(SELECT owned.id FROM addons owned WHERE owned.app_id ${apps}
    UNION SELECT used.addon_id FROM attachments used WHERE used.detached_at IS NULL AND used.app_id ${apps})`;
}

/** Holds where the viewer may use the app that owns `addon`, or one that it is attached to. */
function mayUseAddon(viewer: string): string {
  return `app.destroyed_at IS NULL AND (${mayUseApp('app', viewer)} OR EXISTS (
    SELECT 1 FROM attachments used JOIN apps user_app ON user_app.id = used.app_id
    WHERE used.addon_id = addon.id AND used.detached_at IS NULL AND ${mayUseApp('user_app', viewer)}))`;
}

/** Bind ciphertexts to their row and column. */
export function optionsContext(id: string): string {
  return `addons.options:${id}`;
}
export function configContext(id: string): string {
  return `addons.config:${id}`;
}
