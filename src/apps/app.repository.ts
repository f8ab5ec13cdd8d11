import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { Actor } from '../accounts/actor.js';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AppId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { App } from './app.entity.js';
import { appErrors } from './apps.errors.js';

@Injectable()
export class AppRepository {
  async insert(tx: Tx, app: App): Promise<void> {
    await tx.insert(App, app).catch(onConstraint('apps_name_key', appErrors.app_name_taken));
  }

  /** The actor's app of this name or id. What the actor may not see does not exist. */
  async getForActor(tx: Tx, actor: Actor, identity: string): Promise<App> {
    const app = await tx.findOneBy(App, {
      ...(isId(identity) ? { id: identity as AppId } : { name: identity }),
      ownerId: actor.accountId,
      destroyedAt: IsNull(),
    });
    if (app === null) throw appErrors.app_not_found();
    return app;
  }

  /** The same, and nobody else may change the app's config, attachments or name until this transaction ends. */
  async lockForActor(tx: Tx, actor: Actor, identity: string): Promise<App> {
    return this.lock(tx, (await this.getForActor(tx, actor, identity)).id);
  }

  /** Locks an app that was found by other means; throws where it was destroyed meanwhile. */
  async lock(tx: Tx, id: AppId): Promise<App> {
    const app = await this.lockEvenDestroyed(tx, id);
    if (app.destroyedAt !== null) throw appErrors.app_not_found();
    return app;
  }

  async lockEvenDestroyed(tx: Tx, id: AppId): Promise<App> {
    const app = await tx.findOne(App, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (app === null) throw appErrors.app_not_found();
    return app;
  }

  async get(tx: Tx, id: AppId): Promise<App> {
    return tx.findOneByOrFail(App, { id });
  }

  async listForActor(tx: Tx, actor: Actor, range: Range<'id' | 'name'>): Promise<Page<App>> {
    const query = tx
      .createQueryBuilder(App, 'app')
      .where('app.owner_id = :owner AND app.destroyed_at IS NULL', { owner: actor.accountId });
    return pageOf(query, range, {
      columns: { id: 'app.id', name: 'app.name' },
      valueOf: (app, field) => app[field],
    });
  }

  async rename(tx: Tx, id: AppId, name: string, at: Date): Promise<void> {
    await tx
      .update(App, { id }, { name, updatedAt: at })
      .catch(onConstraint('apps_name_key', appErrors.app_name_taken));
  }

  async setMaintenance(tx: Tx, id: AppId, maintenance: boolean, at: Date): Promise<void> {
    await tx.update(App, { id }, { maintenance, updatedAt: at });
  }

  async markReleased(tx: Tx, id: AppId, version: number, at: Date): Promise<void> {
    await tx.update(App, { id }, { releaseVersion: version, releasedAt: at, updatedAt: at });
  }

  async markDestroyed(tx: Tx, id: AppId, at: Date): Promise<void> {
    await tx.update(App, { id }, { destroyedAt: at, updatedAt: at });
  }
}
