import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Account } from '../accounts/account.entity.js';
import type { AccountId, AppId, Branded } from '../kernel/ids.js';

/** Somebody who may work on an app beside its owner. */
@Entity('collaborators')
export class Collaborator {
  @PrimaryColumn('uuid') id!: Branded<'CollaboratorId'>;
  @Column('uuid', { name: 'app_id' }) appId!: AppId;
  @Column('uuid', { name: 'account_id' }) accountId!: AccountId;
  @ManyToOne(() => Account)
  @JoinColumn({ name: 'account_id' })
  account!: Account;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
