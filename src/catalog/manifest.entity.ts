import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AccountId, AddonServiceId, ManifestRevisionId } from '../kernel/ids.js';

/** One pushed manifest; the newest of a service is in force. */
@Entity('manifest_revisions')
export class ManifestRevision {
  @PrimaryColumn('uuid') id!: ManifestRevisionId;
  @Column('uuid', { name: 'addon_service_id' }) addonServiceId!: AddonServiceId;
  /** `$base` of the manifest. */
  @Column('integer') revision!: number;
  @Column('uuid', { name: 'account_id' }) accountId!: AccountId;
  @Column('bytea', { name: 'contents_ciphertext' }) contentsCiphertext!: Buffer;
  @Column('text', { name: 'contents_key_id' }) contentsKeyId!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

/** An account that publishes a service. */
@Entity('service_makers')
export class ServiceMaker {
  @PrimaryColumn('uuid', { name: 'addon_service_id' }) addonServiceId!: AddonServiceId;
  @PrimaryColumn('uuid', { name: 'account_id' }) accountId!: AccountId;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

/** Somebody who may see and install a service that is not for everybody yet. */
@Entity('service_invitations')
export class ServiceInvitation {
  @PrimaryColumn('uuid', { name: 'addon_service_id' }) addonServiceId!: AddonServiceId;
  /** In lower case. */
  @PrimaryColumn('text') email!: string;
  /** The maker who invited. */
  @Column('uuid', { name: 'account_id' }) accountId!: AccountId;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}
