import type { ActionDefinition } from '../../catalog/action-definition.js';
import type { ActionRunView } from '../../provisioning/actions/read-actions.js';
import { isFinal } from '../../provisioning/operation.machine.js';
import type { ActionResource, ActionRunResource } from './actions.dto.js';

export function presentAction(action: ActionDefinition): ActionResource {
  const { name, title, description, kind, confirm, params, result } = action;
  return { name, title, description, kind, confirm, params, result };
}

export function presentActionRun({ addon, run, operation, result }: ActionRunView): ActionRunResource {
  return {
    id: operation.id,
    action: { name: run.name, kind: run.kind },
    addon: { id: addon.id, name: addon.name },
    state: isFinal(operation.state) ? operation.state : 'pending',
    result,
    message: operation.state === 'failed' ? operation.customerMessage : run.message,
    actor: { email: operation.actorName },
    created_at: operation.createdAt.toISOString(),
    finished_at: operation.finishedAt?.toISOString() ?? null,
  };
}
