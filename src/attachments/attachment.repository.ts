import { Injectable } from '@nestjs/common';
import { IsNull, type SelectQueryBuilder } from 'typeorm';
import type { Actor } from '../accounts/actor.js';
import type { SealedConfig } from '../addons/addon.repository.js';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AddonId, type AppId, type AttachmentId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Attachment } from './attachment.entity.js';
import { attachmentErrors } from './attachments.errors.js';

export type AttachmentPlace = Pick<Attachment, 'id' | 'appId' | 'name'>;

/** An attachment with what it needs to say which config vars it exports. */
export interface ExportingAttachment extends SealedConfig {
  name: string;
  addonId: AddonId;
  plan: string;
  service: string;
  configVarsPrefix: string;
}

@Injectable()
export class AttachmentRepository {
  async insert(tx: Tx, attachment: Omit<Attachment, 'addon' | 'app'>): Promise<void> {
    await tx
      .insert(Attachment, attachment)
      .catch(onConstraint('attachments_app_id_name_key', attachmentErrors.attachment_name_taken));
  }

  /** The names of the live attachments on an app. */
  async namesOnApp(tx: Tx, appId: AppId): Promise<string[]> {
    const rows: { name: string }[] = await tx.query(
      'SELECT name FROM attachments WHERE app_id = $1 AND detached_at IS NULL',
      [appId],
    );
    return rows.map(({ name }) => name);
  }

  /** Where an add-on is attached and under which names, in the order in which apps are locked. */
  async placesOf(tx: Tx, addonId: AddonId): Promise<AttachmentPlace[]> {
    return tx.query(
      `SELECT id, app_id AS "appId", name FROM attachments WHERE addon_id = $1 AND detached_at IS NULL
       ORDER BY app_id, created_at, id`,
      [addonId],
    );
  }

  /** Locks the apps that an add-on is attached to, by id: in one order everywhere, so that nobody waits in a circle. */
  async lockAppsOf(tx: Tx, addonId: AddonId): Promise<void> {
    await tx.query(
      `SELECT 1 FROM apps WHERE id IN (SELECT app_id FROM attachments WHERE addon_id = $1 AND detached_at IS NULL)
       ORDER BY id FOR UPDATE OF apps`,
      [addonId],
    );
  }

  /** What the attachments on an app export, oldest first: one row for each of a provisioned add-on. */
  async listExports(tx: Tx, appId: AppId): Promise<ExportingAttachment[]> {
    return tx.query(
      `SELECT at.name, a.id AS "addonId", a.config_ciphertext AS "configCiphertext",
         a.config_key_id AS "configKeyId", p.slug AS plan, s.name AS service,
         s.config_vars_prefix AS "configVarsPrefix"
       FROM attachments at
         JOIN addons a ON a.id = at.addon_id
         JOIN plans p ON p.id = a.plan_id
         JOIN addon_services s ON s.id = p.addon_service_id
       WHERE at.app_id = $1 AND at.detached_at IS NULL AND a.state = 'provisioned'
       ORDER BY at.created_at, at.id`,
      [appId],
    );
  }

  async detach(tx: Tx, id: AttachmentId, at: Date): Promise<boolean> {
    const result = await tx.update(
      Attachment,
      { id, detachedAt: IsNull() },
      { detachedAt: at, updatedAt: at },
    );
    return result.affected === 1;
  }

  /** The live attachments on an app, oldest first; at most 1,000. */
  async listOfApp(tx: Tx, appId: AppId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.app_id = :appId', { appId })
      .orderBy('attachment.created_at', 'ASC')
      .addOrderBy('attachment.id', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** The live attachments of an add-on, oldest first; at most 1,000. */
  async listOfAddon(tx: Tx, addonId: AddonId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.addon_id = :addonId', { addonId })
      .orderBy('attachment.created_at', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** The same for many add-ons at once. */
  async listOfAddons(tx: Tx, addonIds: AddonId[]): Promise<Attachment[]> {
    if (addonIds.length === 0) return [];
    return this.live(tx)
      .andWhere('attachment.addon_id = ANY(:addonIds)', { addonIds })
      .orderBy('attachment.created_at', 'ASC')
      .getMany();
  }

  /** All attachments on the actor's apps. */
  async listForActor(tx: Tx, actor: Actor, range: Range<'id' | 'name'>): Promise<Page<Attachment>> {
    const query = this.live(tx).andWhere('app.owner_id = :owner AND app.destroyed_at IS NULL', {
      owner: actor.accountId,
    });
    return pageOf(query, range, {
      columns: { id: 'attachment.id', name: 'attachment.name' },
      valueOf: (one, field) => one[field],
      // Every app may have a DATABASE.
      ties: { fields: ['name'], column: 'attachment.id', valueOf: ({ id }) => id },
    });
  }

  async getOfApp(tx: Tx, appId: AppId, identity: string): Promise<Attachment> {
    const found = await this.live(tx)
      .andWhere('attachment.app_id = :appId', { appId })
      .andWhere(isId(identity) ? 'attachment.id = :identity' : 'attachment.name = upper(:identity)', {
        identity,
      })
      .getOne();
    if (found === null) throw attachmentErrors.attachment_not_found();
    return found;
  }

  async getForActor(tx: Tx, actor: Actor, identity: string): Promise<Attachment> {
    if (!isId(identity)) throw attachmentErrors.attachment_not_found();
    const found = await this.live(tx)
      .andWhere('app.owner_id = :owner AND app.destroyed_at IS NULL AND attachment.id = :identity', {
        owner: actor.accountId,
        identity,
      })
      .getOne();
    if (found === null) throw attachmentErrors.attachment_not_found();
    return found;
  }

  private live(tx: Tx): SelectQueryBuilder<Attachment> {
    return tx
      .createQueryBuilder(Attachment, 'attachment')
      .innerJoinAndSelect('attachment.app', 'app')
      .innerJoinAndSelect('attachment.addon', 'addon')
      .innerJoinAndSelect('addon.app', 'owner')
      .innerJoinAndSelect('addon.plan', 'plan')
      .innerJoinAndSelect('plan.addonService', 'service')
      .where('attachment.detached_at IS NULL');
  }
}
