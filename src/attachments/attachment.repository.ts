import { Injectable } from '@nestjs/common';
import { IsNull, type SelectQueryBuilder } from 'typeorm';
import type { SealedConfig } from '../addons/addon.repository.js';
import { appIdsOf, mayUseApp, type Viewer } from '../apps/app-access.js';
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

/** The viewer may use the app that it is on, or the one that owns the add-on: whose data is shared sees with whom. */
const MAY_SEE = `app.destroyed_at IS NULL AND (${mayUseApp('app', ':viewer')} OR ${mayUseApp('owner', ':viewer')})`;

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
         OR id = (SELECT app_id FROM addons WHERE id = $1)
       ORDER BY id FOR UPDATE OF apps`,
      [addonId],
    );
  }

  /** The live attachment of this name on an app, with its add-on. */
  async findOnApp(tx: Tx, appId: AppId, name: string): Promise<Attachment | null> {
    return this.live(tx)
      .andWhere('attachment.app_id = :appId AND attachment.name = :name', { appId, name })
      .getOne();
  }

  /** The names of the apps, other than its own, that an add-on is attached to. */
  async otherAppsOfAddon(tx: Tx, addonId: AddonId): Promise<string[]> {
    return namesIn(
      await tx.query(
        `SELECT DISTINCT app.name FROM attachments at JOIN addons a ON a.id = at.addon_id JOIN apps app ON app.id = at.app_id
         WHERE at.addon_id = $1 AND at.app_id <> a.app_id AND at.detached_at IS NULL ORDER BY app.name`,
        [addonId],
      ),
    );
  }

  /** The names of the apps that an app's add-ons are attached to besides. */
  async otherAppsOfApp(tx: Tx, appId: AppId): Promise<string[]> {
    return namesIn(
      await tx.query(
        `SELECT DISTINCT app.name FROM attachments at JOIN addons a ON a.id = at.addon_id JOIN apps app ON app.id = at.app_id
         WHERE a.app_id = $1 AND at.app_id <> $1 AND at.detached_at IS NULL ORDER BY app.name`,
        [appId],
      ),
    );
  }

  /** Locks an app and all that its add-ons are attached to, by id as everywhere. */
  async lockAppsAround(tx: Tx, appId: AppId): Promise<void> {
    await tx.query(
      `SELECT 1 FROM apps WHERE id = $1 OR id IN (SELECT at.app_id FROM attachments at
         JOIN addons a ON a.id = at.addon_id WHERE a.app_id = $1 AND at.detached_at IS NULL)
       ORDER BY id FOR UPDATE OF apps`,
      [appId],
    );
  }

  /** The live attachments on an app of add-ons that other apps own. */
  async borrowedOnApp(
    tx: Tx,
    appId: AppId,
  ): Promise<(Pick<Attachment, 'id' | 'name'> & { addon: string })[]> {
    return tx.query(
      `SELECT at.id, at.name, a.name AS addon FROM attachments at JOIN addons a ON a.id = at.addon_id
       WHERE at.app_id = $1 AND a.app_id <> $1 AND at.detached_at IS NULL`,
      [appId],
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

  /** The live attachments of an add-on, oldest first; at most 1,000. For a caller's eyes: `listOfAddonForActor`. */
  async listOfAddon(tx: Tx, addonId: AddonId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.addon_id = :addonId', { addonId })
      .orderBy('attachment.created_at', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** Those of them that the actor may see. */
  async listOfAddonForActor(tx: Tx, actor: Viewer, addonId: AddonId): Promise<Attachment[]> {
    return this.live(tx)
      .andWhere('attachment.addon_id = :addonId', { addonId })
      .andWhere(MAY_SEE, { viewer: actor.accountId })
      .orderBy('attachment.created_at', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** The same as `listOfAddon` for many add-ons at once. */
  async listOfAddons(tx: Tx, addonIds: AddonId[]): Promise<Attachment[]> {
    if (addonIds.length === 0) return [];
    return this.live(tx)
      .andWhere('attachment.addon_id = ANY(:addonIds)', { addonIds })
      .orderBy('attachment.created_at', 'ASC')
      .getMany();
  }

  /** All attachments on the actor's apps, and those of the add-ons that these own, wherever they are. */
  async listForActor(tx: Tx, actor: Viewer, range: Range<'id' | 'name'>): Promise<Page<Attachment>> {
    const mine = appIdsOf(':viewer');
    const query = this.live(tx).andWhere(
      `app.destroyed_at IS NULL AND attachment.id IN (
        SELECT used.id FROM attachments used WHERE used.detached_at IS NULL AND used.app_id IN ${mine}
        UNION SELECT shared.id FROM attachments shared JOIN addons owned ON owned.id = shared.addon_id
        WHERE shared.detached_at IS NULL AND owned.app_id IN ${mine})`,
      { viewer: actor.accountId },
    );
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

  /** The attachment of this id on one of the actor's apps, or of an add-on that one of them owns. */
  async getForActor(tx: Tx, actor: Viewer, identity: string): Promise<Attachment> {
    if (!isId(identity)) throw attachmentErrors.attachment_not_found();
    const found = await this.live(tx)
      .andWhere('attachment.id = :identity', { identity })
      .andWhere(MAY_SEE, { viewer: actor.accountId })
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

function namesIn(rows: { name: string }[]): string[] {
  return rows.map(({ name }) => name);
}
