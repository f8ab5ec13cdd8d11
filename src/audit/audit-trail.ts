import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Database, type Tx } from '../kernel/db/database.js';

/** Who acted, as the trail keeps it. */
export interface AuditAuthor {
  kind: 'account' | 'provider' | 'system';
  id: string | null;
  name: string;
  requestId: string | null;
}

export interface AuditEntry {
  /** What happened, e.g. `addon.provisioned`. */
  action: string;
  subject: { kind: string; id: string };
  appId?: string;
  /** Facts that help an auditor. Names of secrets, never their values. */
  details?: Record<string, unknown>;
}

interface Waiting {
  row: unknown[];
  done: () => void;
  failed: (error: unknown) => void;
}

const COLUMNS = `(at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, app_id, request_id, details)`;
const TYPES = [
  'timestamptz[]',
  'text[]',
  'uuid[]',
  'text[]',
  'text[]',
  'text[]',
  'text[]',
  'uuid[]',
  'text[]',
  'jsonb[]',
];

/** Appends to the audit trail, in the transaction of the change that it tells of. */
@Injectable()
export class AuditTrail {
  private waiting: Waiting[] = [];
  private flushing = false;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  async add(tx: Tx, author: AuditAuthor, entry: AuditEntry): Promise<void> {
    await insert(tx, [this.row(author, entry)]);
  }

  /**
   * Notes a read, which has no transaction of its own. Resolves when the row is stored, so that no secret leaves
   * unrecorded; reads that arrive while an insert is on its way share the next one.
   */
  noteRead(author: AuditAuthor, entry: AuditEntry): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ row: this.row(author, entry), done, failed });
      if (!this.flushing) void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await insert(
          this.db.manager,
          batch.map(({ row }) => row),
        );
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.flushing = false;
  }

  private row(author: AuditAuthor, entry: AuditEntry): unknown[] {
    return [
      this.clock.now(),
      author.kind,
      author.id,
      author.name,
      entry.action,
      entry.subject.kind,
      entry.subject.id,
      entry.appId ?? null,
      author.requestId,
      JSON.stringify(entry.details ?? {}),
    ];
  }
}

async function insert(tx: Tx, rows: unknown[][]): Promise<void> {
  const arrays = TYPES.map((_, column) => rows.map((row) => row[column]));
  const unnest = TYPES.map((type, index) => `$${index + 1}::${type}`).join(', ');
  await tx.query(`INSERT INTO audit_events ${COLUMNS} SELECT * FROM unnest(${unnest})`, arrays);
}
