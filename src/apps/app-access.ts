import type { Actor } from '../accounts/actor.js';
import type { App } from './app.entity.js';
import { appErrors } from './apps.errors.js';

/** Whose eyes a query looks through. */
export type Viewer = Pick<Actor, 'accountId'>;

/**
 * SQL that holds where the viewer may use the app that `app` stands for (an alias of `apps`, or of an entity on it),
 * which exists. For looking one thing up: the owner's case needs no look at the other table. `viewer` is the parameter.
 */
export function mayUseApp(app: string, viewer: string): string {
  return `(${app}.destroyed_at IS NULL AND (${app}.owner_id = ${viewer} OR EXISTS (
    SELECT 1 FROM collaborators member WHERE member.app_id = ${app}.id AND member.account_id = ${viewer})))`;
}

/** The ids of all the viewer's apps. For lists: begins at the account, so that other accounts' rows cost nothing. */
export function appIdsOf(viewer: string): string {
  return `(SELECT member.app_id FROM app_members member WHERE member.account_id = ${viewer})`;
}

/** What only the owner may do: destroy an app, rename it, and say who else may use it. */
export function assertOwner(app: App, viewer: Viewer): void {
  if (app.ownerId !== viewer.accountId)
    throw appErrors.owner_only({
      message: `Only the owner of ${app.name} may do this; collaborators may do everything else.`,
      app: { name: app.name },
    });
}
