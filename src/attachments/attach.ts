import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.entity.js';
import { ReleaseRepository } from '../apps/release.repository.js';
import type { AddonService } from '../catalog/catalog.entity.js';
import { Clock } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import { newId, type AddonId } from '../kernel/ids.js';
import type { Attachment } from './attachment.entity.js';
import { defaultNames, exportedNames, parseAttachmentName } from './attachment-names.js';
import { AttachmentRepository } from './attachment.repository.js';
import { attachmentErrors } from './attachments.errors.js';

type NewAttachment = Omit<Attachment, 'addon' | 'app'>;

/**
 * Puts an add-on under a name on an app and reserves the config vars that it exports there, though their values come
 * later with a release. The caller holds the app's lock, so names cannot be taken in between.
 */
@Injectable()
export class Attach {
  constructor(
    private readonly clock: Clock,
    private readonly attachments: AttachmentRepository,
    private readonly releases: ReleaseRepository,
  ) {}

  /** `wanted` null: the first default name whose config vars are free. */
  async run(
    tx: Tx,
    app: App,
    addonId: AddonId,
    service: AddonService,
    wanted: string | null,
  ): Promise<NewAttachment> {
    const name =
      wanted === null ? await this.freeDefaultName(tx, app, addonId, service) : parseAttachmentName(wanted);
    if (await this.attachments.nameTaken(tx, app.id, name))
      throw attachmentErrors.attachment_name_taken({
        message: `${app.name} has an attachment named ${name} already; choose another name with --as.`,
        app: { name: app.name },
      });
    const taken = await this.takenVar(tx, app, service, name);
    if (taken !== null)
      throw attachmentErrors.config_var_taken({
        message: `${app.name} has a config var ${taken} already; unset it or choose another attachment name with --as.`,
        app: { name: app.name },
      });
    const now = this.clock.now();
    const attachment: NewAttachment = {
      id: newId(),
      addonId,
      appId: app.id,
      name,
      createdAt: now,
      updatedAt: now,
      detachedAt: null,
    };
    await this.attachments.insert(tx, attachment);
    await this.releases.reserve(tx, app.id, attachment.id, exportedNames(service, name));
    return attachment;
  }

  private async freeDefaultName(tx: Tx, app: App, addonId: AddonId, service: AddonService): Promise<string> {
    const seed = Number.parseInt(addonId.slice(0, 8), 16);
    for (const name of defaultNames(service, seed)) {
      const nameTaken = await this.attachments.nameTaken(tx, app.id, name);
      if (!nameTaken && (await this.takenVar(tx, app, service, name)) === null) return name;
    }
    throw attachmentErrors.attachment_name_taken({
      message: 'No default name is free; choose one with --as.',
    });
  }

  /** The first config var of this name that the app or another attachment has. */
  private async takenVar(tx: Tx, app: App, service: AddonService, name: string): Promise<string | null> {
    const names = exportedNames(service, name);
    const { own } = await this.releases.environment(tx, app.id, app.releaseVersion);
    const ownName = names.find((one) => Object.hasOwn(own, one));
    if (ownName !== undefined) return ownName;
    const [reserved] = await this.releases.reservedAmong(tx, app.id, names);
    return reserved ?? null;
  }
}
