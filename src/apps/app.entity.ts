import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AccountId, AppId, AttachmentId, ReleaseId } from '../kernel/ids.js';

@Entity('apps')
export class App {
  @PrimaryColumn('uuid') id!: AppId;
  @Column('text') name!: string;
  @Column('uuid', { name: 'owner_id' }) ownerId!: AccountId;
  @Column('text') region!: string;
  @Column('boolean') maintenance!: boolean;
  @Column('integer', { name: 'release_version' }) releaseVersion!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'released_at', nullable: true }) releasedAt!: Date | null;
  @Column('timestamptz', { name: 'destroyed_at', nullable: true }) destroyedAt!: Date | null;
}

/** Which names a release set and unset; never values. */
export interface ReleaseChanges {
  set: string[];
  unset: string[];
}

@Entity('releases')
export class Release {
  @PrimaryColumn('uuid') id!: ReleaseId;
  @Column('uuid', { name: 'app_id' }) appId!: AppId;
  @Column('integer') version!: number;
  @Column('text') description!: string;
  @Column('uuid', { name: 'actor_id', nullable: true }) actorId!: string | null;
  @Column('text', { name: 'actor_name' }) actorName!: string;
  @Column('jsonb') changes!: ReleaseChanges;
  @Column('text', { name: 'addon_plan_names', array: true }) addonPlanNames!: string[];
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
}

@Entity('release_environments')
export class ReleaseEnvironment {
  @PrimaryColumn('uuid', { name: 'app_id' }) appId!: AppId;
  @PrimaryColumn('integer') version!: number;
  @Column('bytea') ciphertext!: Buffer;
  @Column('text', { name: 'key_id' }) keyId!: string;
}

@Entity('reserved_config_vars')
export class ReservedConfigVar {
  @PrimaryColumn('uuid', { name: 'app_id' }) appId!: AppId;
  @PrimaryColumn('text') name!: string;
  @Column('uuid', { name: 'attachment_id' }) attachmentId!: AttachmentId;
}
