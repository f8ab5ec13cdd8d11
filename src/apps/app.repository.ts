import { Injectable } from '@nestjs/common';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AppId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { appIdsOf, mayUseApp, type Viewer } from './app-access.js';
import { App } from './app.entity.js';
import { appErrors } from './apps.errors.js';

@Injectable()
export class AppRepository {
  async insert(tx: Tx, app: App): Promise<void> {
    await tx.insert(App, app).catch(onConstraint('apps_name_key', appErrors.app_name_taken));
  }

  /** The actor's app of this name or id: one that the actor owns or collaborates on. What is neither does not exist. */
  async getForActor(tx: Tx, actor: Viewer, identity: string): Promise<App> {
    const app = await this.findForActor(tx, actor, identity);
    if (app === null) throw appErrors.app_not_found();
    return app;
  }

  async findForActor(tx: Tx, actor: Viewer, identity: string): Promise<App | null> {
    return tx
      .createQueryBuilder(App, 'app')
      .where(isId(identity) ? 'app.id = :identity' : 'app.name = :identity', { identity })
      .andWhere(mayUseApp('app', ':viewer'), { viewer: actor.accountId })
      .getOne();
  }

  /** The same, and nobody else may change the app's config, attachments or name until this transaction ends. */
  async lockForActor(tx: Tx, actor: Viewer, identity: string): Promise<App> {
    const app = await this.lock(tx, (await this.getForActor(tx, actor, identity)).id);
    // Access may have been taken away while the lock was waited for; an owner's cannot be.
    return app.ownerId === actor.accountId ? app : this.getForActor(tx, actor, app.id);
  }

  /** Locks several apps in the order of their ids, as everywhere, so that nobody waits in a circle. */
  async lockAll(tx: Tx, ids: AppId[]): Promise<void> {
    await tx.query('SELECT 1 FROM apps WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [ids]);
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

  async listForActor(tx: Tx, actor: Viewer, range: Range<'id' | 'name'>): Promise<Page<App>> {
    const query = tx
      .createQueryBuilder(App, 'app')
      .where(`app.id IN ${appIdsOf(':viewer')} AND app.destroyed_at IS NULL`, { viewer: actor.accountId });
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
