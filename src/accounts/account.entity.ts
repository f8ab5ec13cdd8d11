import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AccountId, TokenId } from '../kernel/ids.js';

@Entity('accounts')
export class Account {
  @PrimaryColumn('uuid') id!: AccountId;
  @Column('text') email!: string;
  @Column('text', { nullable: true }) name!: string | null;
  @Column('boolean', { name: 'is_operator' }) isOperator!: boolean;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

/** Who made a token: a request of an account, or the start-up, from the settings or from the server's folder. */
export type TokenOrigin = 'request' | 'settings' | 'folder';

@Entity('access_tokens')
export class AccessToken {
  @PrimaryColumn('uuid') id!: TokenId;
  @Column('uuid', { name: 'account_id' }) accountId!: AccountId;
  @Column('bytea', { name: 'token_hash' }) tokenHash!: Buffer;
  @Column('text') description!: string;
  @Column('text', { array: true }) scopes!: string[];
  @Column('text') origin!: TokenOrigin;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}
