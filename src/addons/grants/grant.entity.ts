import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AddonId, Branded } from '../../kernel/ids.js';

export type AddonTokenId = Branded<'AddonTokenId'>;

/** What a provider is sent with a provision request, to exchange for tokens: good once, for a few minutes. */
@Entity('addon_grants')
export class AddonGrant {
  @PrimaryColumn('bytea', { name: 'code_hash' }) codeHash!: Buffer;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'used_at', nullable: true }) usedAt!: Date | null;
}

/** What a provider got for a grant, to act for one add-on. */
@Entity('addon_tokens')
export class AddonToken {
  @PrimaryColumn('uuid') id!: AddonTokenId;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('text') kind!: 'access' | 'refresh';
  @Column('bytea', { name: 'token_hash' }) tokenHash!: Buffer;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  /** null: it lives as long as the add-on. */
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}
