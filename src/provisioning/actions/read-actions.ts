import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import type { Addon } from '../../addons/addon.entity.js';
import { addonErrors } from '../../addons/addons.errors.js';
import { ReadTrail } from '../../audit/read-trail.js';
import type { ActionDefinition } from '../../catalog/action-definition.js';
import { Database } from '../../kernel/db/database.js';
import { isId, type OperationId } from '../../kernel/ids.js';
import type { Operation } from '../operation.entity.js';
import { OperationRepository } from '../operation.repository.js';
import { ActionAccess } from './action-access.js';
import type { ActionRun } from './action-run.entity.js';
import { ActionRunRepository } from './action-run.repository.js';
import { actionErrors } from './actions.errors.js';

/** A run as its customer sees it. */
export interface ActionRunView {
  addon: Addon;
  run: ActionRun;
  operation: Operation;
  /** null: it has none, or none yet. */
  result: unknown;
}

/** Reads actions and their runs. A result may be a secret: that it was read is in the audit trail before it leaves. */
@Injectable()
export class ReadActions {
  constructor(
    private readonly db: Database,
    private readonly access: ActionAccess,
    private readonly operations: OperationRepository,
    private readonly runs: ActionRunRepository,
    private readonly reads: ReadTrail,
  ) {}

  async list(actor: Actor, addon: string): Promise<ActionDefinition[]> {
    return (await this.access.getAddon(this.db.manager, actor, addon)).plan.addonService.actions;
  }

  /** A run, also of an action that the manifest has no more. */
  async run(actor: Actor, addonIdentity: string, name: string, id: string): Promise<ActionRunView> {
    const tx = this.db.manager;
    const addon = await this.access.getAddon(tx, actor, addonIdentity);
    const found = isId(id) ? await this.runs.findOf(tx, addon.id, name, id as OperationId) : null;
    if (found === null) throw actionErrors.action_run_not_found();
    await this.access.assertMay(tx, actor, addon, found.run.kind);
    const result = this.runs.resultOf(found.run);
    if (result !== null)
      await this.reads.note(actor.tokenId, authorOf(actor), {
        action: 'addon.action_result_read',
        subject: { kind: 'addon', id: addon.id },
        appId: addon.appId,
        details: { name: addon.name, action: name, operation: found.operation.id },
      });
    return { addon, ...found, result };
  }

  /** The same for whoever ran it, after a bounded wait: throws where it did not come about. */
  async settled(actor: Actor, addon: string, name: string, id: OperationId): Promise<ActionRunView> {
    const view = await this.run(actor, addon, name, id);
    if (view.operation.state !== 'failed') return view;
    const { customerMessage: words, lastError } = view.operation;
    const internal = `operation ${id}: ${lastError}`;
    const verdict = await this.operations.findLastVerdict(this.db.manager, id);
    if (verdict !== 'refused' && verdict !== 'refused_in_doubt')
      throw actionErrors.action_failed({ ...(words === null ? {} : { message: words }), internal });
    const service = view.addon.plan.addonService.name;
    throw addonErrors.provider_refused({
      message:
        words === null
          ? `The provider of ${service} refused ${name} and gave no reason.`
          : `The provider of ${service} refused ${name}: ${words}`,
      internal,
    });
  }
}
