import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../../accounts/actor.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import type { Pause } from '../gate.entity.js';
import { OperationRepository } from '../operation.repository.js';
import { PauseRepository } from '../pause.repository.js';

/** Ends a pause. What it held goes on within seconds; one that has ended already stays as it is. */
@Injectable()
export class ResumeProvisioning {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly pauses: PauseRepository,
    private readonly operations: OperationRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, id: string, reason: string): Promise<Pause> {
    return this.db.transaction('pause.end', async (tx) => {
      const pause = await this.pauses.get(tx, id);
      const author = authorOf(actor);
      const now = this.clock.now();
      if (!(await this.pauses.resume(tx, pause.id, author.name, now))) return this.pauses.get(tx, id);
      await this.operations.releasePaused(tx, now);
      await this.audit.add(tx, author, {
        action: 'pause.ended',
        subject: { kind: 'pause', id: pause.id },
        details: { scope: pause.scope, target: pause.targetName, reason },
      });
      return this.pauses.get(tx, id);
    });
  }
}
