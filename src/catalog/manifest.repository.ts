import { Injectable } from '@nestjs/common';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import type { Tx } from '../kernel/db/database.js';
import { isId, type AddonServiceId, type ManifestRevisionId } from '../kernel/ids.js';
import { ManifestRevision } from './manifest.entity.js';
import { catalogErrors } from './catalog.errors.js';

type Contents = Record<string, unknown>;

const REVISIONS_MAX = 1_000;

/** Which revision it is, without what it says. */
export type RevisionFact = Pick<ManifestRevision, 'id' | 'revision' | 'createdAt'>;

@Injectable()
export class ManifestRepository {
  constructor(private readonly keys: KeyRing) {}

  async insert(
    tx: Tx,
    revision: Omit<ManifestRevision, 'contentsCiphertext' | 'contentsKeyId'>,
    contents: Contents,
  ): Promise<void> {
    const sealed = this.keys.seal(JSON.stringify(contents), manifestContext(revision.id));
    await tx.insert(ManifestRevision, {
      ...revision,
      contentsCiphertext: sealed.ciphertext,
      contentsKeyId: sealed.keyId,
    });
  }

  /** The one in force; null: none was pushed. */
  async findCurrent(tx: Tx, serviceId: AddonServiceId): Promise<ManifestRevision | null> {
    return tx.findOne(ManifestRevision, {
      where: { addonServiceId: serviceId },
      order: { revision: 'DESC' },
    });
  }

  async findByRevision(
    tx: Tx,
    serviceId: AddonServiceId,
    revision: number,
  ): Promise<ManifestRevision | null> {
    return tx.findOneBy(ManifestRevision, { addonServiceId: serviceId, revision });
  }

  async get(tx: Tx, serviceId: AddonServiceId, id: string): Promise<ManifestRevision> {
    const found = isId(id)
      ? await tx.findOneBy(ManifestRevision, { addonServiceId: serviceId, id: id as ManifestRevisionId })
      : null;
    if (found === null) throw catalogErrors.manifest_not_found();
    return found;
  }

  /** Newest first, at most 1,000. */
  async list(tx: Tx, serviceId: AddonServiceId): Promise<RevisionFact[]> {
    return tx.find(ManifestRevision, {
      select: { id: true, revision: true, createdAt: true },
      where: { addonServiceId: serviceId },
      order: { revision: 'DESC' },
      take: REVISIONS_MAX,
    });
  }

  /** What a revision says, with its secrets and without `$base`. */
  contentsOf(revision: ManifestRevision): Contents {
    const sealed = { ciphertext: revision.contentsCiphertext, keyId: revision.contentsKeyId };
    return JSON.parse(this.keys.open(sealed, manifestContext(revision.id))) as Contents;
  }
}

/** Binds an encrypted manifest to its row. */
export function manifestContext(id: string): string {
  return `manifest_revisions:${id}`;
}
