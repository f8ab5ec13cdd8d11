import type { App } from '../../apps/app.entity.js';
import type { Collaborator } from '../../apps/collaborator.entity.js';
import type { CollaboratorResource } from './resources.js';

export function presentCollaborator(collaborator: Collaborator, app: App): CollaboratorResource {
  return {
    id: collaborator.id,
    app: { id: app.id, name: app.name },
    user: { id: collaborator.accountId, email: collaborator.account.email, federated: false },
    role: 'collaborator',
    created_at: collaborator.createdAt.toISOString(),
    updated_at: collaborator.updatedAt.toISOString(),
  };
}

/** The owner has been one since there is the app. */
export function presentOwner(app: App, email: string): CollaboratorResource {
  const at = app.createdAt.toISOString();
  return {
    id: app.ownerId,
    app: { id: app.id, name: app.name },
    user: { id: app.ownerId, email, federated: false },
    role: 'owner',
    created_at: at,
    updated_at: at,
  };
}
