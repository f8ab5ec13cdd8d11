import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '../kernel/db/database.js';

const BATCH_ROWS = 1_000;
/** One call of `seal` ends after so many, so that a round of the worker always does; the next one goes on. */
const BATCHES_MAX = 50;
const FIRST = Buffer.alloc(32);

interface AuditRow {
  id: string;
  body: string;
  seal_seq: string | null;
  seal_hash: Buffer | null;
}

/** The columns that a seal covers. A column that a later migration adds is not among them: old rows were sealed without it. */
const SEALED_COLUMNS = [
  'id',
  'at',
  'actor_kind',
  'actor_id',
  'actor_name',
  'action',
  'subject_kind',
  'subject_id',
  'app_id',
  'request_id',
  'details',
];

/** What PostgreSQL itself prints of them: the same text whenever it is asked, in whatever order they are named. */
const BODY = `jsonb_build_object(${SEALED_COLUMNS.map((name) => `'${name}', e.${name}`).join(', ')})::text`;

export type ChainReport =
  { ok: true; sealed: number } | { ok: false; sealed: number; at: string; why: string };

/**
 * Seals audit rows into a hash chain after their commit, so that writers never wait for one another. Ids may commit
 * out of order; the chain has an order of its own, so a row that commits late is sealed late, not lost.
 */
@Injectable()
export class AuditChain {
  constructor(private readonly db: Database) {}

  /** Seals what is not sealed yet, a batch a transaction; the number of rows. */
  async seal(): Promise<number> {
    let sealed = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const rows = await this.sealBatch();
      sealed += rows;
      if (rows < BATCH_ROWS) break;
    }
    return sealed;
  }

  private sealBatch(): Promise<number> {
    return this.db.round('audit.seal', async (tx) => {
      const [lock]: { held: boolean }[] = await tx.query(
        "SELECT pg_try_advisory_xact_lock(hashtext('souk.audit.seal')) AS held",
      );
      if (lock?.held !== true) return 0;
      const [head]: AuditRow[] = await tx.query(
        'SELECT id, seal_seq, seal_hash FROM audit_events WHERE seal_seq IS NOT NULL ORDER BY seal_seq DESC LIMIT 1',
      );
      const rows: AuditRow[] = await tx.query(
        `SELECT e.id, ${BODY} AS body FROM audit_events e WHERE seal_seq IS NULL ORDER BY id LIMIT ${BATCH_ROWS}`,
      );
      let hash = head?.seal_hash ?? FIRST;
      let seq = BigInt(head?.seal_seq ?? 0);
      const seals: { id: string; seq: string; hash: Buffer }[] = [];
      for (const row of rows) {
        seq += 1n;
        hash = link(hash, seq, row.body);
        seals.push({ id: row.id, seq: `${seq}`, hash });
      }
      await tx.query(
        `UPDATE audit_events e SET seal_seq = s.seq, seal_hash = s.hash
         FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS s (id, seq, hash) WHERE e.id = s.id`,
        [seals.map(({ id }) => id), seals.map((one) => one.seq), seals.map((one) => one.hash)],
      );
      return rows.length;
    });
  }

  /** Walks the whole chain; says where it breaks: a row that was changed, removed or put elsewhere. */
  async verify(): Promise<ChainReport> {
    let hash: Buffer = FIRST;
    let seq = 0n;
    for (;;) {
      const rows = await this.page(this.db.manager, seq);
      for (const row of rows) {
        const expected = seq + 1n;
        if (BigInt(row.seal_seq ?? 0) !== expected)
          return { ok: false, sealed: Number(seq), at: `seal ${expected}`, why: 'A row is missing here.' };
        hash = link(hash, expected, row.body);
        if (row.seal_hash === null || !hash.equals(row.seal_hash))
          return {
            ok: false,
            sealed: Number(seq),
            at: `event ${row.id}`,
            why: 'This row or its place was changed.',
          };
        seq = expected;
      }
      if (rows.length < BATCH_ROWS) return { ok: true, sealed: Number(seq) };
    }
  }

  private page(tx: Tx, after: bigint): Promise<AuditRow[]> {
    return tx.query(
      `SELECT e.id, ${BODY} AS body, seal_seq, seal_hash FROM audit_events e
       WHERE seal_seq > $1 ORDER BY seal_seq LIMIT ${BATCH_ROWS}`,
      [`${after}`],
    );
  }
}

function link(previous: Buffer, seq: bigint, body: string): Buffer {
  return createHash('sha256').update(previous).update(`${seq}\n`).update(body).digest();
}
