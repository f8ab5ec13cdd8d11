import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ProviderId } from '../../kernel/ids.js';

/** When a provider's list of resources was compared with our add-ons, and what came of it. */
@Entity('inventories')
export class Inventory {
  @PrimaryColumn('uuid', { name: 'provider_id' }) providerId!: ProviderId;
  @Column('timestamptz', { name: 'due_at' }) dueAt!: Date;
  @Column('timestamptz', { name: 'compared_at', nullable: true }) comparedAt!: Date | null;
  @Column('integer', { nullable: true }) listed!: number | null;
  @Column('text', { nullable: true }) error!: string | null;
  @Column('boolean', { name: 'removes_orphans' }) removesOrphans!: boolean;
}
