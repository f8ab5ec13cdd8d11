import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { Tx } from '../kernel/db/database.js';
import { isId } from '../kernel/ids.js';
import { pageOf, type Page, type Range } from '../kernel/range.js';
import { Finding } from './operation.entity.js';
import { provisioningErrors } from './provisioning.errors.js';

/** Reads findings for operators, and closes them by hand. */
@Injectable()
export class FindingRepository {
  async list(
    tx: Tx,
    state: 'open' | 'resolved' | 'all',
    range: Range<'created_at' | 'id'>,
  ): Promise<Page<Finding>> {
    const query = tx.createQueryBuilder(Finding, 'finding');
    if (state !== 'all') query.where(`finding.resolved_at IS ${state === 'open' ? 'NULL' : 'NOT NULL'}`);
    return pageOf(query, range, {
      columns: { created_at: 'finding.created_at', id: 'finding.id' },
      valueOf: (finding, field) => (field === 'id' ? finding.id : finding.createdAt.toISOString()),
      ties: { fields: ['created_at'], column: 'finding.id', valueOf: ({ id }) => id },
    });
  }

  async get(tx: Tx, id: string): Promise<Finding> {
    const finding = isId(id) ? await tx.findOneBy(Finding, { id: id as Finding['id'] }) : null;
    if (finding === null) throw provisioningErrors.finding_not_found();
    return finding;
  }

  /** False where it was closed before. */
  async close(tx: Tx, id: Finding['id'], by: string, reason: string, at: Date): Promise<boolean> {
    const result = await tx.update(
      Finding,
      { id, resolvedAt: IsNull() },
      { resolvedAt: at, resolvedBy: by, resolution: reason },
    );
    return result.affected === 1;
  }
}
