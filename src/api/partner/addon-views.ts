import { Inject, Injectable } from '@nestjs/common';
import { AccountRepository } from '../../accounts/account.repository.js';
import type { Addon } from '../../addons/addon.entity.js';
import { AddonRepository } from '../../addons/addon.repository.js';
import { addonErrors } from '../../addons/addons.errors.js';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import type { App } from '../../apps/app.entity.js';
import { CollaboratorRepository } from '../../apps/collaborator.repository.js';
import { AddonReach } from '../../attachments/addon-reach.js';
import { AttachmentRepository } from '../../attachments/attachment.repository.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { Database } from '../../kernel/db/database.js';
import { presentAddon, presentApp, presentAttachment } from '../platform/present.js';
import { presentCollaborator, presentOwner } from '../platform/present-collaborator.js';
import type {
  AddonResource,
  AppResource,
  AttachmentResource,
  CollaboratorResource,
} from '../platform/resources.js';
import type { Shape } from '../platform/shape.js';

/** What a provider reads with a token: its add-on, where that is attached, the apps that have it, and who uses these. */
@Injectable()
export class PartnerAddonViews {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly addons: AddonRepository,
    private readonly attachments: AttachmentRepository,
    private readonly reach: AddonReach,
    private readonly collaborators: CollaboratorRepository,
  ) {}

  /** The caller's add-on, by its id or name; also by the service's slug, which some providers ask for. */
  async own(caller: AddonCaller, identity: string): Promise<Addon> {
    const addon = await this.addons.get(this.db.manager, caller.addonId);
    if (![addon.id, addon.name, caller.slug].includes(identity)) throw addonErrors.addon_not_found();
    return addon;
  }

  async present(addon: Addon, shape: Shape): Promise<AddonResource> {
    return presentAddon(addon, await this.attachments.listOfAddon(this.db.manager, addon.id), shape);
  }

  async one(caller: AddonCaller, identity: string, shape: Shape): Promise<AddonResource> {
    return this.present(await this.own(caller, identity), shape);
  }

  async attachmentsOf(caller: AddonCaller, identity: string, shape: Shape): Promise<AttachmentResource[]> {
    const addon = await this.own(caller, identity);
    const attachments = await this.attachments.listOfAddon(this.db.manager, addon.id);
    return attachments.map((one) => presentAttachment(one, shape));
  }

  async apps(caller: AddonCaller): Promise<AppResource[]> {
    const apps = await this.reach.apps(this.db.manager, caller.addonId);
    return Promise.all(apps.map((app) => this.presentApp(app)));
  }

  async app(caller: AddonCaller, identity: string): Promise<AppResource> {
    return this.presentApp(await this.reach.app(this.db.manager, caller.addonId, identity));
  }

  /** The owner first, as in the Platform API: partners look for whoever has the role `owner`. */
  async collaboratorsOn(caller: AddonCaller, identity: string): Promise<CollaboratorResource[]> {
    const tx = this.db.manager;
    const app = await this.reach.app(tx, caller.addonId, identity);
    const { email } = await this.accounts.get(tx, app.ownerId);
    const others = await this.collaborators.listOfApp(tx, app.id);
    return [presentOwner(app, email), ...others.map((one) => presentCollaborator(one, app))];
  }

  /** Of all that the app has, only the caller's. */
  async addonsOn(caller: AddonCaller, app: string, shape: Shape): Promise<AddonResource[]> {
    await this.reach.app(this.db.manager, caller.addonId, app);
    return [await this.one(caller, caller.addonId, shape)];
  }

  async attachmentsOn(caller: AddonCaller, app: string, shape: Shape): Promise<AttachmentResource[]> {
    const attachments = await this.reach.attachmentsOn(this.db.manager, caller.addonId, app);
    return attachments.map((one) => presentAttachment(one, shape));
  }

  async attachmentOn(
    caller: AddonCaller,
    app: string,
    identity: string,
    shape: Shape,
  ): Promise<AttachmentResource> {
    const found = await this.reach.attachmentOn(this.db.manager, caller.addonId, app, identity);
    return presentAttachment(found, shape);
  }

  private async presentApp(app: App): Promise<AppResource> {
    const owner = await this.accounts.get(this.db.manager, app.ownerId);
    return presentApp(app, owner.email, this.config.publicUrl);
  }
}
