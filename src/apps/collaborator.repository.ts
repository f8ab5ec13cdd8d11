import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { onConstraint, type Tx } from '../kernel/db/database.js';
import { isId, type AccountId, type AppId } from '../kernel/ids.js';
import { appErrors } from './apps.errors.js';
import { Collaborator } from './collaborator.entity.js';

@Injectable()
export class CollaboratorRepository {
  async insert(tx: Tx, collaborator: Omit<Collaborator, 'account'>): Promise<void> {
    await tx
      .insert(Collaborator, collaborator)
      .catch(onConstraint('collaborators_app_id_account_id_key', appErrors.collaborator_exists));
  }

  /** The collaborators of an app without its owner, oldest first; at most 1,000. */
  async listOfApp(tx: Tx, appId: AppId): Promise<Collaborator[]> {
    return this.ofApp(tx, appId)
      .orderBy('collaborator.created_at', 'ASC')
      .addOrderBy('collaborator.id', 'ASC')
      .limit(1_000)
      .getMany();
  }

  /** By e-mail address, or by the id of the account or of the record. */
  async getOfApp(tx: Tx, appId: AppId, identity: string): Promise<Collaborator> {
    const found = await this.ofApp(tx, appId)
      .andWhere(
        isId(identity)
          ? '(collaborator.id = :identity OR collaborator.account_id = :identity)'
          : 'lower(account.email) = lower(:identity)',
        { identity },
      )
      .getOne();
    if (found === null) throw appErrors.collaborator_not_found();
    return found;
  }

  /** Whether there was one to remove. */
  async remove(tx: Tx, appId: AppId, accountId: AccountId): Promise<boolean> {
    return (await tx.delete(Collaborator, { appId, accountId })).affected === 1;
  }

  private ofApp(tx: Tx, appId: AppId): SelectQueryBuilder<Collaborator> {
    return tx
      .createQueryBuilder(Collaborator, 'collaborator')
      .innerJoinAndSelect('collaborator.account', 'account')
      .where('collaborator.app_id = :appId', { appId });
  }
}
