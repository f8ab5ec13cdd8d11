import { Injectable } from '@nestjs/common';
import { authorOf, type Actor } from '../accounts/actor.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import { Database } from '../kernel/db/database.js';
import { Reencrypt } from './reencrypt.js';

/**
 * Rotates the key ring in steps: the first makes a new key, each further one moves a bounded number of rows under it.
 * Old keys stay in the ring, so nothing becomes unreadable in between.
 */
@Injectable()
export class RotateKeys {
  constructor(
    private readonly db: Database,
    private readonly keys: KeyRing,
    private readonly reencrypt: Reencrypt,
    private readonly audit: AuditTrail,
  ) {}

  async step(actor: Actor, newKey: boolean): Promise<{ keyId: string; moved: number; left: number }> {
    if (newKey) {
      const keyId = this.keys.addKey();
      await this.db.transaction('keys.rotate', (tx) =>
        this.audit.add(tx, authorOf(actor), { action: 'keys.rotated', subject: { kind: 'key', id: keyId } }),
      );
    }
    return this.reencrypt.batch();
  }
}
