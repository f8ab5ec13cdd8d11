import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../accounts/actor.js';
import { ReadTrail } from '../audit/read-trail.js';
import { Database } from '../kernel/db/database.js';
import type { AddonService } from './catalog.entity.js';
import { catalogErrors } from './catalog.errors.js';
import type { ManifestRevision, ServiceInvitation } from './manifest.entity.js';
import { ManifestRepository, type RevisionFact } from './manifest.repository.js';
import { ServiceAccessRepository } from './service-access.repository.js';

export interface ReadManifest {
  revision: number;
  contents: Record<string, unknown>;
  /** Makers see the secrets of their manifests; operators do not. */
  isMaker: boolean;
}

/** The manifests of a service, for its makers and for operators. Reads of their secrets are audited. */
@Injectable()
export class ReadManifests {
  constructor(
    private readonly db: Database,
    private readonly access: ServiceAccessRepository,
    private readonly manifests: ManifestRepository,
    private readonly trail: ReadTrail,
  ) {}

  async current(actor: Actor, slug: string): Promise<ReadManifest> {
    const { service, isMaker } = await this.published(actor, slug);
    const revision = await this.manifests.findCurrent(this.db.manager, service.id);
    // A bundled service has a manifest, but nobody pushed it.
    if (revision === null) throw catalogErrors.manifest_not_found();
    return this.open(actor, service, revision, isMaker);
  }

  async one(actor: Actor, slug: string, id: string): Promise<ReadManifest> {
    const { service, isMaker } = await this.published(actor, slug);
    const revision = await this.manifests.get(this.db.manager, service.id, id);
    return this.open(actor, service, revision, isMaker);
  }

  async list(actor: Actor, slug: string): Promise<RevisionFact[]> {
    const { service } = await this.published(actor, slug);
    return this.manifests.list(this.db.manager, service.id);
  }

  async invitations(actor: Actor, slug: string): Promise<ServiceInvitation[]> {
    const { service } = await this.published(actor, slug);
    return this.access.listInvitations(this.db.manager, service.id);
  }

  private async published(actor: Actor, slug: string): Promise<{ service: AddonService; isMaker: boolean }> {
    const { service, standing } = await this.access.getPublished(this.db.manager, actor, slug);
    return { service, isMaker: standing === 'maker' };
  }

  private async open(
    actor: Actor,
    service: AddonService,
    revision: ManifestRevision,
    isMaker: boolean,
  ): Promise<ReadManifest> {
    if (isMaker)
      await this.trail.note(actor.tokenId, authorOf(actor), {
        action: 'manifest.read',
        subject: { kind: 'addon_service', id: service.id },
        details: { service: service.name, revision: revision.revision },
      });
    return { revision: revision.revision, contents: this.manifests.contentsOf(revision), isMaker };
  }
}
