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
    const taken = await this.taken(tx, app);
    const name = wanted === null ? freeDefaultName(taken, addonId, service) : parseAttachmentName(wanted);
    if (taken.names.has(name))
      throw attachmentErrors.attachment_name_taken({
        message: `${app.name} has an attachment named ${name} already; choose another name with --as.`,
        app: { name: app.name },
      });
    const takenVar = exportedNames(service, name).find((one) => taken.vars.has(one));
    if (takenVar !== undefined)
      throw attachmentErrors.config_var_taken({
        message: `${app.name} has a config var ${takenVar} already; unset it or choose another attachment name with --as.`,
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
    await this.releases.reserve(
      tx,
      app.id,
      attachment.id,
      exportedNames(service, name),
      attachmentErrors.config_var_taken,
    );
    return attachment;
  }

  /** Everything on the app that a new attachment could collide with. */
  private async taken(tx: Tx, app: App): Promise<Taken> {
    const names = await this.attachments.namesOnApp(tx, app.id);
    const { own } = await this.releases.environment(tx, app.id, app.releaseVersion);
    const reserved = await this.releases.reserved(tx, app.id);
    return { names: new Set(names), vars: new Set([...Object.keys(own), ...reserved]) };
  }
}

interface Taken {
  /** Of attachments. */
  names: Set<string>;
  /** Config vars: the app's own, and those that other attachments hold. */
  vars: Set<string>;
}

function freeDefaultName(taken: Taken, addonId: AddonId, service: AddonService): string {
  const seed = Number.parseInt(addonId.slice(0, 8), 16);
  for (const name of defaultNames(service, seed))
    if (!taken.names.has(name) && !exportedNames(service, name).some((one) => taken.vars.has(one)))
      return name;
  throw attachmentErrors.attachment_name_taken({
    message: 'No default name is free; choose one with --as.',
  });
}
