import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../kernel/crypto/key-ring.js';
import type { Tx } from '../../kernel/db/database.js';
import type { AddonId, OperationId } from '../../kernel/ids.js';
import { ActionRun } from './action-run.entity.js';
import { Operation } from '../operation.entity.js';

/** What is sent to an action, as the customer gave it. */
export type ActionParams = Record<string, unknown>;

@Injectable()
export class ActionRunRepository {
  constructor(private readonly keys: KeyRing) {}

  async insert(
    tx: Tx,
    { operationId, name, kind }: Pick<ActionRun, 'operationId' | 'name' | 'kind'>,
    params: ActionParams,
  ): Promise<void> {
    const sealed = this.keys.seal(JSON.stringify(params), actionParamsContext(operationId));
    const [paramsCiphertext, paramsKeyId] = [sealed.ciphertext, sealed.keyId];
    await tx.insert(ActionRun, { operationId, name, kind, paramsCiphertext, paramsKeyId });
  }

  async get(tx: Tx, operationId: OperationId): Promise<ActionRun> {
    return tx.findOneByOrFail(ActionRun, { operationId });
  }

  /** The run with its operation, where it is one of this action of this add-on. */
  async findOf(
    tx: Tx,
    addonId: AddonId,
    name: string,
    operationId: OperationId,
  ): Promise<{ run: ActionRun; operation: Operation } | null> {
    const operation = await tx.findOneBy(Operation, { id: operationId, addonId, type: 'action' });
    if (operation === null) return null;
    const run = await tx.findOneBy(ActionRun, { operationId, name });
    return run === null ? null : { run, operation };
  }

  /** In the transaction that ends the operation. */
  async setResult(tx: Tx, operationId: OperationId, result: unknown, message: string | null): Promise<void> {
    const sealed =
      result === null ? null : this.keys.seal(JSON.stringify(result), actionResultContext(operationId));
    await tx.update(
      ActionRun,
      { operationId },
      { resultCiphertext: sealed?.ciphertext ?? null, resultKeyId: sealed?.keyId ?? null, message },
    );
  }

  paramsOf({ operationId, paramsCiphertext: ciphertext, paramsKeyId: keyId }: ActionRun): ActionParams {
    const params = this.keys.open({ ciphertext, keyId }, actionParamsContext(operationId));
    return JSON.parse(params) as ActionParams;
  }

  resultOf({ operationId, resultCiphertext: ciphertext, resultKeyId: keyId }: ActionRun): unknown {
    if (ciphertext === null || keyId === null) return null;
    return JSON.parse(this.keys.open({ ciphertext, keyId }, actionResultContext(operationId)));
  }
}

/** Bind ciphertexts to their row and column. */
export function actionParamsContext(id: string): string {
  return `action_runs.params:${id}`;
}
export function actionResultContext(id: string): string {
  return `action_runs.result:${id}`;
}
