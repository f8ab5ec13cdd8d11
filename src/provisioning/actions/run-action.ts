import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { addonErrors } from '../../addons/addons.errors.js';
import { valueProblems } from '../../catalog/json-schema.js';
import { Database } from '../../kernel/db/database.js';
import type { AddonId, OperationId } from '../../kernel/ids.js';
import { AddonLocks } from '../addon-locks.js';
import { BeginOperation } from '../begin-operation.js';
import { OperationRepository } from '../operation.repository.js';
import { ActionAccess } from './action-access.js';
import { ActionRunRepository, type ActionParams } from './action-run.repository.js';
import { actionErrors } from './actions.errors.js';

export interface RunActionInput {
  /** Name or id of the add-on. */
  addon: string;
  name: string;
  params: ActionParams;
  /** The add-on's name once more, where the action asks for that. */
  confirm: string | null;
}

const PARAMS_CHARS_MAX = 65_536;

/** Commits a run of an action and its job; the provider is called later. */
@Injectable()
export class RunAction {
  constructor(
    private readonly db: Database,
    private readonly access: ActionAccess,
    private readonly locks: AddonLocks,
    private readonly operations: OperationRepository,
    private readonly runs: ActionRunRepository,
    private readonly begin: BeginOperation,
  ) {}

  async run(actor: Actor, input: RunActionInput): Promise<{ addonId: AddonId; operationId: OperationId }> {
    const { name, params } = input;
    return this.db.transaction('action.request', async (tx) => {
      const { addon: found, action } = await this.access.get(tx, actor, input.addon, name);
      assertFits(params, valueProblems(action.params, params, 'params', true));
      if (action.confirm && input.confirm !== found.name)
        throw actionErrors.action_unconfirmed({
          message: `${name} has to be confirmed: send "${found.name}" as confirm.`,
          app: { name: found.app.name },
        });
      const addon = await this.locks.take(tx, found.id);
      if (addon.removedAt !== null) throw addonErrors.addon_not_found();
      const running = await this.operations.findActive(tx, addon.id);
      if (running !== null || addon.deleteRequestedAt !== null || addon.state !== 'provisioned')
        throw addonErrors.operation_in_flight({ internal: `operation ${running?.id} is ${running?.state}` });
      const operationId = await this.begin.run(tx, 'action', addon.id, authorOf(actor), {
        app: addon.appId,
        name: addon.name,
        action: name,
      });
      await this.runs.insert(tx, { operationId, name, kind: action.kind }, params);
      return { addonId: addon.id, operationId };
    });
  }
}

function assertFits(params: ActionParams, problems: string[]): void {
  if (problems.length > 0)
    throw actionErrors.action_params_invalid({ message: problems.slice(0, 10).join(' '), problems });
  if (JSON.stringify(params).length > PARAMS_CHARS_MAX)
    throw actionErrors.action_params_invalid({
      message: `The params are too large; ${PARAMS_CHARS_MAX} characters of JSON are allowed.`,
    });
}
