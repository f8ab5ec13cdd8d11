import type { Clock } from './clock.js';
import type { Queryable } from './database.js';
import type { Draft, ListedResource, ProvisionRequest, Resource, ResourceState } from './resource.js';
import type { Vault } from './vault.js';

interface Row {
  uuid: string;
  state: ResourceState;
  plan: string | null;
  region: string | null;
  facts: Record<string, string>;
  sealed: Buffer | null;
}

/** What is known of a uuid. */
export type Known = { state: 'unknown' } | { state: 'deleted' } | Resource;

/** Every query on the resources' table. Writers hold the resource's lock. */
export class ResourceStore {
  constructor(
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  async find(db: Queryable, uuid: string): Promise<Known> {
    const [row] = await db.query<Row>(
      'SELECT uuid, state, plan, region, facts, sealed FROM kit.resources WHERE uuid = $1',
      [uuid],
    );
    if (row === undefined) return { state: 'unknown' };
    return this.parse(row) ?? { state: 'deleted' };
  }

  /** The intent: from here on a repeat, or the clean-up, knows what may have been built. */
  async insert(db: Queryable, request: ProvisionRequest, draft: Draft): Promise<Resource> {
    const { uuid, plan, region } = request;
    const now = this.clock.now();
    await db.query(
      `INSERT INTO kit.resources (uuid, state, plan, region, facts, sealed, created_at, updated_at)
       VALUES ($1, 'creating', $2, $3, $4, $5, $6, $6)`,
      [uuid, plan, region, draft.facts, this.vault.seal(JSON.stringify(draft.secrets), uuid), now],
    );
    return { uuid, plan, region, state: 'creating', ...draft };
  }

  /** Marks a uuid that never had a resource as gone, so that a late request cannot make one. */
  async bury(db: Queryable, uuid: string): Promise<void> {
    await db.query(
      `INSERT INTO kit.resources (uuid, state, created_at, updated_at) VALUES ($1, 'deleted', $2, $2)
       ON CONFLICT ON CONSTRAINT resources_pkey DO NOTHING`,
      [uuid, this.clock.now()],
    );
  }

  /** False when the resource was not in the state `from`. */
  async move(db: Queryable, uuid: string, from: ResourceState, to: 'ready' | 'deleting'): Promise<boolean> {
    const moved = await db.query(
      'UPDATE kit.resources SET state = $3, updated_at = $4 WHERE uuid = $1 AND state = $2 RETURNING uuid',
      [uuid, from, to, this.clock.now()],
    );
    return moved.length === 1;
  }

  /** The end: what is left is a tombstone without secrets. */
  async finishDelete(db: Queryable, uuid: string): Promise<void> {
    await db.query(
      `UPDATE kit.resources SET state = 'deleted', sealed = NULL, facts = '{}', updated_at = $2
       WHERE uuid = $1 AND state = 'deleting'`,
      [uuid, this.clock.now()],
    );
    await db.query('DELETE FROM kit.notices WHERE uuid = $1', [uuid]);
    await db.query('DELETE FROM kit.action_runs WHERE uuid = $1', [uuid]);
  }

  async setPlan(db: Queryable, uuid: string, plan: string): Promise<void> {
    await db.query(
      `UPDATE kit.resources SET plan = $2, updated_at = $3 WHERE uuid = $1 AND state = 'ready'`,
      [uuid, plan, this.clock.now()],
    );
  }

  /** Resources whose delete was begun and not finished. */
  async listDeleting(db: Queryable, max: number): Promise<string[]> {
    const rows = await db.query<{ uuid: string }>(
      `SELECT uuid FROM kit.resources WHERE state = 'deleting' ORDER BY position LIMIT $1`,
      [max],
    );
    return rows.map(({ uuid }) => uuid);
  }

  /** Ready resources behind a position, for scheduled work that goes through all of them. */
  async listReady(
    db: Queryable,
    after: string,
    max: number,
  ): Promise<{ last: string | null; found: Resource[] }> {
    const rows = await db.query<Row & { position: string }>(
      `SELECT uuid, position, state, plan, region, facts, sealed FROM kit.resources
       WHERE state = 'ready' AND position > $1 ORDER BY position LIMIT $2`,
      [after, max],
    );
    return {
      last: rows.at(-1)?.position ?? null,
      found: rows.flatMap((row) => this.parse(row) ?? []),
    };
  }

  /** Ready resources of which a stored fact has one of the values. */
  async listReadyWith(db: Queryable, fact: string, values: string[]): Promise<Resource[]> {
    const rows = await db.query<Row>(
      `SELECT uuid, state, plan, region, facts, sealed FROM kit.resources
       WHERE state = 'ready' AND facts->>$1 = ANY ($2)`,
      [fact, values],
    );
    return rows.flatMap((row) => this.parse(row) ?? []);
  }

  /** How many resources of each plan have, or may have, something in the engine. */
  async countByPlan(db: Queryable): Promise<Map<string, number>> {
    const rows = await db.query<{ plan: string; count: string }>(
      `SELECT plan, count(*) FROM kit.resources WHERE state <> 'deleted' GROUP BY plan`,
    );
    return new Map(rows.map(({ plan, count }) => [plan, Number(count)]));
  }

  /** One page of everything that has, or may have, something in the engine. */
  async page(
    db: Queryable,
    after: string,
    max: number,
  ): Promise<{ resources: ListedResource[]; next: string | null }> {
    const rows = await db.query<ListedResource & { position: string }>(
      `SELECT uuid AS id, uuid, plan, state, position FROM kit.resources
       WHERE state <> 'deleted' AND position > $1 ORDER BY position LIMIT $2`,
      [after, max + 1],
    );
    const shown = rows.slice(0, max);
    return {
      resources: shown.map(({ id, uuid, plan, state }) => ({ id, uuid, plan, state })),
      next: rows.length > max ? (shown.at(-1)?.position ?? null) : null,
    };
  }

  private parse(row: Row): Resource | null {
    const { uuid, state, plan, region, facts, sealed } = row;
    if (state === 'deleted' || plan === null || sealed === null) return null;
    const secrets = JSON.parse(this.vault.open(sealed, uuid)) as Record<string, string>;
    return { uuid, state, plan, region, facts, secrets };
  }
}
