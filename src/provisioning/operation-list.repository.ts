import { Injectable } from '@nestjs/common';
import { plusMs } from '../kernel/clock.js';
import type { Tx } from '../kernel/db/database.js';
import { isId, type OperationId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Operation, OperationAttempt } from './operation.entity.js';
import type { OperationState, OperationType } from './operation.machine.js';
import { PROVISION_DEADLINE_MS } from './operation.js';
import { provisioningErrors } from './provisioning.errors.js';

export interface OperationFilter {
  /** `open`: every one that has not ended. */
  state?: OperationState | 'open';
  type?: OperationType;
  /** Names or ids. */
  service?: string;
  app?: string;
  addon?: string;
  /** Open for longer than a creation may go without a verdict. */
  late?: boolean;
  /** Its time has come, and no worker takes it. */
  stuck?: boolean;
}

/** What an operation is about, in words that an operator knows. */
export interface OperationPlace {
  operationId: OperationId;
  addon: string;
  appId: string;
  app: string;
  service: string;
  plan: string;
  /** The plan that a plan change leads to. */
  targetPlan: string | null;
  region: string;
}

const ATTEMPTS_SHOWN_MAX = 200;
/** Workers take what is due each second; what they left alone for so long they do not take. */
const STUCK_MS = 60_000;

/** Reads operations for operators, of all apps. */
@Injectable()
export class OperationListRepository {
  async list(
    tx: Tx,
    filter: OperationFilter,
    range: Range<'created_at' | 'id'>,
    now: Date,
  ): Promise<Page<Operation>> {
    const query = tx.createQueryBuilder(Operation, 'operation');
    if (filter.state === 'open') query.andWhere('operation.finished_at IS NULL');
    else if (filter.state !== undefined) query.andWhere('operation.state = :state', filter);
    if (filter.type !== undefined) query.andWhere('operation.type = :type', filter);
    if (filter.late === true)
      query.andWhere('operation.finished_at IS NULL AND operation.created_at < :lateSince', {
        lateSince: plusMs(now, -PROVISION_DEADLINE_MS),
      });
    if (filter.stuck === true)
      query.andWhere(
        `operation.finished_at IS NULL AND operation.next_attempt_at < :stuckSince
         AND (operation.lease_until IS NULL OR operation.lease_until < :stuckSince)`,
        { stuckSince: plusMs(now, -STUCK_MS) },
      );
    for (const [what, joined] of [
      ['addon', 'a'],
      ['app', 'apps'],
      ['service', 's'],
    ] as const) {
      const identity = filter[what];
      if (identity === undefined) continue;
      query.andWhere(
        `EXISTS (SELECT 1 FROM addons a JOIN apps ON apps.id = a.app_id JOIN addon_services s ON s.id = a.addon_service_id
          WHERE a.id = operation.addon_id AND ${joined}.${isId(identity) ? 'id' : 'name'} = :${what})`,
        { [what]: identity },
      );
    }
    return pageOf(query, range, {
      columns: { created_at: 'operation.created_at', id: 'operation.id' },
      valueOf: (operation, field) => (field === 'id' ? operation.id : operation.createdAt.toISOString()),
      ties: { fields: ['created_at'], column: 'operation.id', valueOf: ({ id }) => id },
    });
  }

  async get(tx: Tx, id: string): Promise<Operation> {
    const operation = isId(id) ? await tx.findOneBy(Operation, { id: id as Operation['id'] }) : null;
    if (operation === null) throw provisioningErrors.operation_not_found();
    return operation;
  }

  /** Its calls, newest first; a delete that a provider never confirms has any number of them. */
  async listAttempts(tx: Tx, operationId: Operation['id']): Promise<OperationAttempt[]> {
    return tx.find(OperationAttempt, {
      where: { operationId },
      order: { attempt: 'DESC' },
      take: ATTEMPTS_SHOWN_MAX,
    });
  }

  async placesOf(tx: Tx, operationIds: OperationId[]): Promise<Map<OperationId, OperationPlace>> {
    const rows: OperationPlace[] = await tx.query(
      `SELECT o.id AS "operationId", a.name AS addon, apps.id AS "appId", apps.name AS app, s.name AS service,
         s.name || ':' || p.slug AS plan, s.name || ':' || target.slug AS "targetPlan", a.region
       FROM operations o JOIN addons a ON a.id = o.addon_id LEFT JOIN plans target ON target.id = o.plan_id JOIN apps ON apps.id = a.app_id JOIN plans p ON p.id = a.plan_id
       JOIN addon_services s ON s.id = a.addon_service_id WHERE o.id = ANY($1::uuid[])`,
      [operationIds],
    );
    return new Map(rows.map((row) => [row.operationId, row]));
  }
}
