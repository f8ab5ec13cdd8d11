import { Injectable } from '@nestjs/common';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import { onConstraint, type Database, type Tx } from '../kernel/db/database.js';
import { isId, type AppId, type AttachmentId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { mayUseApp, type Viewer } from './app-access.js';
import { Release, ReleaseEnvironment, ReservedConfigVar } from './app.entity.js';
import { appErrors } from './apps.errors.js';
import { EMPTY_ENVIRONMENT, type Environment } from './environment.js';

/** The current environment of an app, with what a caller needs to know of the app. */
export interface CurrentEnvironment {
  appId: AppId;
  version: number;
  environment: Environment;
}

interface CurrentRow {
  app_id: AppId;
  version: number;
  ciphertext: Buffer | null;
  key_id: string | null;
}

@Injectable()
export class ReleaseRepository {
  constructor(private readonly keys: KeyRing) {}

  async insert(tx: Tx, release: Release, environment: Environment): Promise<void> {
    await tx.insert(Release, release);
    const sealed = this.keys.seal(JSON.stringify(environment), contextOf(release.appId, release.version));
    await tx.insert(ReleaseEnvironment, {
      appId: release.appId,
      version: release.version,
      ciphertext: sealed.ciphertext,
      keyId: sealed.keyId,
    });
  }

  /** The environment of one release; empty for version 0, before any. */
  async environment(tx: Tx, appId: AppId, version: number): Promise<Environment> {
    if (version === 0) return EMPTY_ENVIRONMENT;
    const row = await tx.findOneByOrFail(ReleaseEnvironment, { appId, version });
    return this.open(appId, version, row);
  }

  /** The actor's app and its current environment in one statement: config is what apps read most. */
  async currentForActor(db: Database, actor: Viewer, identity: string): Promise<CurrentEnvironment> {
    const by = isId(identity) ? 'id' : 'name';
    const rows = await db.read<CurrentRow>(
      `current_environment_by_${by}`,
      `SELECT a.id AS app_id, a.release_version AS version, e.ciphertext, e.key_id
       FROM apps a LEFT JOIN release_environments e ON e.app_id = a.id AND e.version = a.release_version
       WHERE a.${by} = $1 AND ${mayUseApp('a', '$2')}`,
      [identity, actor.accountId],
    );
    const [row] = rows;
    if (row === undefined) throw appErrors.app_not_found();
    const sealed =
      row.ciphertext !== null && row.key_id !== null
        ? { ciphertext: row.ciphertext, keyId: row.key_id }
        : null;
    return {
      appId: row.app_id,
      version: row.version,
      environment: sealed === null ? EMPTY_ENVIRONMENT : this.open(row.app_id, row.version, sealed),
    };
  }

  async list(tx: Tx, appId: AppId, range: Range<'version' | 'id'>): Promise<Page<Release>> {
    const query = tx.createQueryBuilder(Release, 'release').where('release.app_id = :appId', { appId });
    return pageOf(query, range, {
      columns: { version: 'release.version', id: 'release.id' },
      valueOf: (release, field) => release[field],
    });
  }

  /** A release by version (`3` or `v3`) or id. */
  async get(tx: Tx, appId: AppId, identity: string): Promise<Release> {
    const version = /^v?(\d{1,9})$/.exec(identity)?.[1];
    const where =
      version !== undefined
        ? { version: Number(version) }
        : isId(identity)
          ? { id: identity as Release['id'] }
          : null;
    const release = where === null ? null : await tx.findOneBy(Release, { ...where, appId });
    if (release === null) throw appErrors.release_not_found();
    return release;
  }

  /** Holds names for an attachment, all of them. `taken`: what to throw where somebody else has one. */
  async reserve(
    tx: Tx,
    appId: AppId,
    attachmentId: AttachmentId,
    names: string[],
    taken: (details: { cause: unknown }) => Error,
  ): Promise<void> {
    await tx
      .insert(
        ReservedConfigVar,
        names.map((name) => ({ appId, name, attachmentId })),
      )
      .catch(onConstraint('reserved_config_vars_pkey', taken));
  }

  async unreserve(tx: Tx, attachmentId: AttachmentId): Promise<void> {
    await tx.delete(ReservedConfigVar, { attachmentId });
  }

  /** The names that attachments hold on the app, in order. */
  async reserved(tx: Tx, appId: AppId): Promise<string[]> {
    const rows: { name: string }[] = await tx.query(
      'SELECT name FROM reserved_config_vars WHERE app_id = $1 ORDER BY name',
      [appId],
    );
    return rows.map(({ name }) => name);
  }

  private open(appId: AppId, version: number, sealed: { ciphertext: Buffer; keyId: string }): Environment {
    return JSON.parse(this.keys.open(sealed, contextOf(appId, version))) as Environment;
  }
}

/** Binds a ciphertext to its release. */
export function contextOf(appId: string, version: number): string {
  return `release_environments:${appId}:${version}`;
}
