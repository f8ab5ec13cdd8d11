import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { FindingRepository } from '../finding.repository.js';
import type { Finding } from '../operation.entity.js';

/** A person has looked at a finding and says what became of it. One that is closed already stays as it is. */
@Injectable()
export class CloseFinding {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly findings: FindingRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, id: string, reason: string): Promise<Finding> {
    return this.db.transaction('finding.close', async (tx) => {
      const finding = await this.findings.get(tx, id);
      const author = authorOf(actor);
      if (!(await this.findings.close(tx, finding.id, author.name, reason, this.clock.now())))
        return this.findings.get(tx, id);
      await this.audit.add(tx, author, {
        action: 'finding.closed',
        subject: { kind: 'finding', id: finding.id },
        details: { kind: finding.kind, addon: finding.addonId, reason },
      });
      return this.findings.get(tx, id);
    });
  }
}
