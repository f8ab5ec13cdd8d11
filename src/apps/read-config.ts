import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../accounts/actor.js';
import { ReadTrail } from '../audit/read-trail.js';
import { Database } from '../kernel/db/database.js';
import { AppRepository } from './app.repository.js';
import { flatten } from './environment.js';
import { ReleaseRepository } from './release.repository.js';

/** Reads config vars. Who reads them is in the audit trail before a value leaves. */
@Injectable()
export class ReadConfig {
  constructor(
    private readonly db: Database,
    private readonly apps: AppRepository,
    private readonly releases: ReleaseRepository,
    private readonly reads: ReadTrail,
  ) {}

  /** What the app would be started with now. */
  async current(actor: Actor, identity: string): Promise<Record<string, string>> {
    const current = await this.releases.currentForActor(this.db, actor, identity);
    await this.note(actor, current.appId, current.version);
    return flatten(current.environment);
  }

  /** The config vars of one release. */
  async ofRelease(actor: Actor, identity: string, release: string): Promise<Record<string, string>> {
    const app = await this.apps.getForActor(this.db.manager, actor, identity);
    const { version } = await this.releases.get(this.db.manager, app.id, release);
    await this.note(actor, app.id, version);
    return flatten(await this.releases.environment(this.db.manager, app.id, version));
  }

  /** Puts a read on record. Rejects where it cannot be stored: then no value may leave. */
  note(actor: Actor, appId: string, version: number): Promise<void> {
    return this.reads.note(actor.tokenId, authorOf(actor), {
      action: 'config.read',
      subject: { kind: 'app', id: appId },
      appId,
      details: { version },
    });
  }
}
