import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Addon } from '../addons/addon.entity.js';
import { App } from '../apps/app.entity.js';
import type { AddonId, AppId, AttachmentId } from '../kernel/ids.js';

@Entity('attachments')
export class Attachment {
  @PrimaryColumn('uuid') id!: AttachmentId;
  @Column('uuid', { name: 'addon_id' }) addonId!: AddonId;
  @ManyToOne(() => Addon)
  @JoinColumn({ name: 'addon_id' })
  addon!: Addon;
  @Column('uuid', { name: 'app_id' }) appId!: AppId;
  @ManyToOne(() => App)
  @JoinColumn({ name: 'app_id' })
  app!: App;
  @Column('text') name!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'detached_at', nullable: true }) detachedAt!: Date | null;
}
