import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AccountId, AddonId } from '../kernel/ids.js';

/** A ticket that was used. Kept until some time after it would have expired anyway. */
@Entity('sso_ticket_uses')
export class SsoTicketUse {
  @PrimaryColumn('bytea', { name: 'ticket_hash' }) ticketHash!: Buffer;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @Column('uuid', { name: 'account_id' }) accountId!: AccountId;
  @Column('timestamptz', { name: 'used_at' }) usedAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
}
