import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OperationId } from '../../kernel/ids.js';

/** What an operation of the type `action` is to do, and what came of it. */
@Entity('action_runs')
export class ActionRun {
  @PrimaryColumn('uuid', { name: 'operation_id' }) operationId!: OperationId;
  @Column('text') name!: string;
  @Column('text') kind!: 'command' | 'query';
  @Column('bytea', { name: 'params_ciphertext' }) paramsCiphertext!: Buffer;
  @Column('text', { name: 'params_key_id' }) paramsKeyId!: string;
  /** null: it has none, or none yet. */
  @Column('bytea', { name: 'result_ciphertext', nullable: true }) resultCiphertext!: Buffer | null;
  @Column('text', { name: 'result_key_id', nullable: true }) resultKeyId!: string | null;
  @Column('text', { nullable: true }) message!: string | null;
}
