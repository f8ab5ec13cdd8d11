import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { authorOf, mayUse, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database, type Tx } from '../../kernel/db/database.js';
import { EgressGuard } from '../../kernel/egress-guard.js';
import { newId, type ManifestRevisionId } from '../../kernel/ids.js';
import { Secret } from '../../kernel/secret.js';
import { catalogErrors } from '../catalog.errors.js';
import { CatalogRepository } from '../catalog.repository.js';
import { describeChanges, isSameManifest } from '../manifest-diff.js';
import type { ManifestRevision } from '../manifest.entity.js';
import { manifestInvalid, type Manifest } from '../manifest.js';
import { ManifestRepository } from '../manifest.repository.js';
import { preparePushed, readPushed, urlProblem, type Fallbacks } from '../pushed-manifest.js';
import { ServiceAccessRepository } from '../service-access.repository.js';
import { providerIdOf, serviceIdOf, StoreManifest } from '../store-manifest.js';

type Contents = Record<string, unknown>;

export interface PushedManifest {
  revision: number;
  contents: Contents;
  /** Whether the pusher may see its secrets. */
  isMaker: boolean;
  /** With the first push only: it is shown once. */
  clientSecret: Secret | null;
}

/** The tables that a push reads and writes. */
@Injectable()
export class PushRepositories {
  constructor(
    readonly catalog: CatalogRepository,
    readonly manifests: ManifestRepository,
    readonly access: ServiceAccessRepository,
    readonly store: StoreManifest,
  ) {}
}

/**
 * Takes a third party's manifest into force. The first push claims the slug for who pushes; a push that was made on
 * another revision than the newest (`$base`) is refused with what changed since.
 */
@Injectable()
export class PushManifest {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly repositories: PushRepositories,
    private readonly egress: EgressGuard,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, slug: string, pushed: Contents): Promise<PushedManifest> {
    const fresh = { password: freshSecret(), ssoSalt: freshSecret() };
    await this.validate(slug, pushed, fresh);
    return this.db.transaction('manifest.push', async (tx) => {
      const { manifests, store } = this.repositories;
      await store.lock(tx, slug);
      const isMaker = await this.authorise(tx, actor, slug);
      const current = await manifests.findCurrent(tx, serviceIdOf(slug));
      if (current === null) return this.first(tx, actor, slug, pushed, fresh);
      return this.next(tx, actor, slug, pushed, current, isMaker);
    });
  }

  /** Before the transaction, since names have to be resolved. */
  private async validate(slug: string, pushed: Contents, fresh: Fallbacks): Promise<void> {
    const { manifest, problems } = readPushed(slug, preparePushed(pushed, fresh));
    const urls = [
      ['api.production.base_url', manifest.baseUrl],
      ['api.production.sso_url', manifest.ssoUrl],
    ] as const;
    for (const [field, url] of urls) {
      if (url === null || url === '') continue;
      const problem = urlProblem(url) ?? (await this.egress.problemWith(new URL(url)));
      const sentence = `${field} ${problem}.`;
      if (problem !== null && !problems.some((one) => one.startsWith(field))) problems.push(sentence);
    }
    if (problems.length > 0) throw manifestInvalid(problems);
  }

  /** Whether the pusher is a maker. A slug that is free is anybody's to claim. */
  private async authorise(tx: Tx, actor: Actor, slug: string): Promise<boolean> {
    const { catalog, access } = this.repositories;
    const provider = await catalog.findAccessBySlug(tx, slug);
    if (provider === null) return true;
    const isMaker = await access.isMaker(tx, actor.accountId, serviceIdOf(slug));
    if (provider.bundled || !(isMaker || mayUse(actor, 'admin')))
      throw catalogErrors.service_slug_taken({
        message: `The id ${slug} belongs to another service already; choose another one.`,
      });
    return isMaker;
  }

  private async first(
    tx: Tx,
    actor: Actor,
    slug: string,
    pushed: Contents,
    fresh: Fallbacks,
  ): Promise<PushedManifest> {
    const { catalog, access } = this.repositories;
    const prepared = preparePushed(pushed, fresh);
    const { manifest } = readPushed(slug, prepared);
    await this.put(tx, actor, manifest, prepared.contents, 1);
    await access.addMaker(tx, serviceIdOf(slug), actor.accountId, this.clock.now());
    const clientSecret = new Secret(prepared.clientSecret ?? freshSecret());
    await catalog.setClientSecret(tx, providerIdOf(slug), clientSecret);
    return { revision: 1, contents: prepared.contents, isMaker: true, clientSecret };
  }

  private async next(
    tx: Tx,
    actor: Actor,
    slug: string,
    pushed: Contents,
    current: ManifestRevision,
    isMaker: boolean,
  ): Promise<PushedManifest> {
    const { manifests } = this.repositories;
    const before = manifests.contentsOf(current);
    const prepared = preparePushed(pushed, secretsOf(before));
    const isSame = isSameManifest(before, prepared.contents);
    // The same contents again are a repeated request, whatever they were based on.
    if (!isSame) await this.assertNewest(tx, current, pushed.$base);
    if (prepared.clientSecret !== null)
      await this.replaceClientSecret(tx, actor, slug, prepared.clientSecret);
    const result = { contents: prepared.contents, isMaker, clientSecret: null };
    if (isSame) return { ...result, revision: current.revision };
    const { manifest } = readPushed(slug, prepared);
    const revision = current.revision + 1;
    await this.put(tx, actor, manifest, prepared.contents, revision);
    return { ...result, revision };
  }

  private async replaceClientSecret(tx: Tx, actor: Actor, slug: string, text: string): Promise<void> {
    const { catalog } = this.repositories;
    const id = providerIdOf(slug);
    if ((await catalog.findClientSecret(tx, id))?.equals(text) === true) return;
    await catalog.setClientSecret(tx, id, new Secret(text));
    await this.audit.add(tx, authorOf(actor), {
      action: 'provider.client_secret_set',
      subject: { kind: 'provider', id },
      details: { provider: slug },
    });
  }

  private async put(
    tx: Tx,
    actor: Actor,
    manifest: Manifest,
    contents: Contents,
    revision: number,
  ): Promise<void> {
    const { manifests, store } = this.repositories;
    const author = authorOf(actor);
    const addonServiceId = serviceIdOf(manifest.id);
    await store.run(tx, author, manifest, { bundled: false });
    const id = newId<ManifestRevisionId>();
    const createdAt = this.clock.now();
    await manifests.insert(
      tx,
      { id, addonServiceId, revision, accountId: actor.accountId, createdAt },
      contents,
    );
    await this.audit.add(tx, author, {
      action: 'manifest.pushed',
      subject: { kind: 'addon_service', id: addonServiceId },
      details: { service: manifest.id, revision },
    });
  }

  private async assertNewest(tx: Tx, current: ManifestRevision, base: unknown): Promise<void> {
    if (String(base) === String(current.revision)) return;
    const { manifests } = this.repositories;
    const known =
      typeof base === 'number' && Number.isSafeInteger(base) && base > 0 && base < current.revision
        ? await manifests.findByRevision(tx, current.addonServiceId, base)
        : null;
    const changes =
      known === null ? [] : describeChanges(manifests.contentsOf(known), manifests.contentsOf(current));
    const problems = [
      known === null
        ? `$base must be ${current.revision}, the revision that is in force; pull the manifest, make your change again, and push.`
        : `The manifest was changed since revision ${known.revision}, which you pulled; revision ${current.revision} is in force. Pull it, make your change again, and push.`,
      ...changes,
    ];
    throw catalogErrors.manifest_stale({ message: problems.join(' '), problems });
  }
}

function secretsOf(contents: Contents): Fallbacks {
  const api = contents.api as { password: string; sso_salt: string };
  return { password: api.password, ssoSalt: api.sso_salt };
}

function freshSecret(): string {
  return randomBytes(24).toString('base64url');
}
