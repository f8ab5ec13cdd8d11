import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import type { Actor } from '../accounts/actor.js';
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
      .catch(onConstraint('addons_name_key', addonErrors.addon_name_taken));
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
   * The actor's add-on of this name or id, on one app or anywhere. A creation that failed is still found for a day,
   * so that who waits for it learns of it.
   */
  async getForActor(
    tx: Tx,
    actor: Actor,
    identity: string,
    now: Date,
    appId: AppId | null = null,
  ): Promise<Addon> {
    const query = this.visible(tx, actor)
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

  /** The actor's live add-ons; with an app, those that it owns or has attached. */
  async listForActor(
    tx: Tx,
    actor: Actor,
    appId: AppId | null,
    range: Range<'id' | 'name'>,
  ): Promise<Page<Addon>> {
    const query = this.visible(tx, actor).andWhere('addon.removed_at IS NULL');
    if (appId !== null)
      query.andWhere(
        `(addon.app_id = :appId OR EXISTS (SELECT 1 FROM attachments at
          WHERE at.addon_id = addon.id AND at.app_id = :appId AND at.detached_at IS NULL))`,
        { appId },
      );
    return pageOf(query, range, {
      columns: { id: 'addon.id', name: 'addon.name' },
      valueOf: (addon, field) => addon[field],
    });
  }

  /** The actor's live add-ons of a service, by its name; at most 100. */
  async listByService(tx: Tx, actor: Actor, service: string, appId: AppId | null): Promise<Addon[]> {
    const query = this.visible(tx, actor)
      .andWhere('addon.removed_at IS NULL AND service.name = :service', { service })
      .orderBy('addon.created_at', 'ASC')
      .limit(100);
    if (appId !== null) query.andWhere('addon.app_id = :appId', { appId });
    return query.getMany();
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

  async hasService(tx: Tx, appId: AppId, serviceId: AddonServiceId): Promise<boolean> {
    return tx
      .createQueryBuilder(Addon, 'addon')
      .where('addon.app_id = :appId AND addon.addon_service_id = :serviceId AND addon.removed_at IS NULL', {
        appId,
        serviceId,
      })
      .getExists();
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

  private visible(tx: Tx, actor: Actor): SelectQueryBuilder<Addon> {
    return this.query(tx).where('app.owner_id = :owner AND app.destroyed_at IS NULL', {
      owner: actor.accountId,
    });
  }
}

/** Bind ciphertexts to their row and column. */
export function optionsContext(id: string): string {
  return `addons.options:${id}`;
}
export function configContext(id: string): string {
  return `addons.config:${id}`;
}
