import { Injectable } from '@nestjs/common';
import type { Tx } from '../../kernel/db/database.js';
import { isId, newId, type AddonId, type Branded, type ProviderId } from '../../kernel/ids.js';
import { Finding } from '../operation.entity.js';
import { Inventory } from './inventory.entity.js';
import { inventoryErrors } from './inventory.errors.js';
import type { ListedResource } from './listing.js';

/** `$5` is when the list was begun. */
const MAY_HOLD = `(a.state <> 'deprovisioned' OR EXISTS (
  SELECT FROM operations o WHERE o.addon_id = a.id AND (o.finished_at IS NULL OR o.finished_at >= $5)))`;

export type FindingId = Finding['id'];

/** A difference between what a provider lists and what we know. */
export interface Difference {
  kind: 'orphan' | 'phantom';
  /** The provider's name of an orphan; null for a phantom. */
  resource: string | null;
  /** The add-on of a phantom; null for an orphan. */
  addonId: AddonId | null;
  detail: string;
  monthlyCents: string | null;
  currency: string | null;
}

/** An inventory with the provider's slug. */
export interface NamedInventory extends Omit<Inventory, 'comparedAt' | 'listed' | 'error'> {
  slug: string;
  comparedAt: Date | null;
  listed: number | null;
  error: string | null;
}

@Injectable()
export class InventoryRepository {
  /** Takes inventories whose time has come, and leaves them alone until `againAt`. */
  async takeDue(tx: Tx, now: Date, againAt: Date, max: number): Promise<ProviderId[]> {
    const rows: { provider_id: ProviderId }[] = await tx.query(
      `WITH due AS (
         SELECT p.id FROM providers p LEFT JOIN inventories i ON i.provider_id = p.id
         WHERE p.inventory AND (i.due_at IS NULL OR i.due_at <= $1)
         ORDER BY i.due_at NULLS FIRST LIMIT $3 FOR UPDATE OF p SKIP LOCKED)
       INSERT INTO inventories (provider_id, due_at) SELECT id, $2 FROM due
       ON CONFLICT ON CONSTRAINT inventories_pkey DO UPDATE SET due_at = EXCLUDED.due_at
       RETURNING provider_id`,
      [now, againAt, max],
    );
    return rows.map(({ provider_id }) => provider_id);
  }

  /** Every provider that lists its resources; at most 1,000, by slug. */
  async list(tx: Tx): Promise<NamedInventory[]> {
    return tx.query(
      `SELECT p.id AS "providerId", p.slug, coalesce(i.due_at, p.created_at) AS "dueAt", i.compared_at AS "comparedAt",
         i.listed, i.error, coalesce(i.removes_orphans, false) AS "removesOrphans"
       FROM providers p LEFT JOIN inventories i ON i.provider_id = p.id
       WHERE p.inventory ORDER BY p.slug LIMIT 1000`,
    );
  }

  async getBySlug(tx: Tx, slug: string): Promise<NamedInventory> {
    const found = (await this.list(tx)).find((one) => one.slug === slug);
    if (found === undefined) throw inventoryErrors.inventory_not_found();
    return found;
  }

  async setRemovesOrphans(tx: Tx, providerId: ProviderId, removes: boolean, now: Date): Promise<void> {
    await tx.query(
      `INSERT INTO inventories (provider_id, due_at, removes_orphans) VALUES ($1, $2, $3)
       ON CONFLICT ON CONSTRAINT inventories_pkey DO UPDATE SET removes_orphans = EXCLUDED.removes_orphans`,
      [providerId, now, removes],
    );
  }

  /** Locks the provider's row: one comparison is recorded at a time. False where the provider lists nothing any more. */
  async lock(tx: Tx, providerId: ProviderId, now: Date): Promise<{ removesOrphans: boolean } | null> {
    await tx.query(
      `INSERT INTO inventories (provider_id, due_at) VALUES ($1, $2) ON CONFLICT ON CONSTRAINT inventories_pkey DO NOTHING`,
      [providerId, now],
    );
    const rows: { removesOrphans: boolean }[] = await tx.query(
      `SELECT i.removes_orphans AS "removesOrphans" FROM inventories i JOIN providers p ON p.id = i.provider_id
       WHERE i.provider_id = $1 AND p.inventory FOR UPDATE OF i`,
      [providerId],
    );
    return rows[0] ?? null;
  }

  async note(
    tx: Tx,
    providerId: ProviderId,
    result: { comparedAt: Date; listed: number } | { error: string },
  ): Promise<void> {
    const change = 'error' in result ? result : { ...result, error: null };
    await tx.update(Inventory, { providerId }, change);
  }

  /**
   * What the provider holds for nobody. An add-on may hold a resource while it lives, while an operation on it is open,
   * and while its last operation ended after the list was begun: the list may be older than that. The same is true of
   * an orphan that was removed since.
   */
  async findOrphans(
    tx: Tx,
    providerId: ProviderId,
    resources: ListedResource[],
    began: Date,
  ): Promise<Difference[]> {
    const rows: {
      id: string;
      uuid: string | null;
      plan: string | null;
      cents: string | null;
      currency: string | null;
    }[] = await tx.query(
      `SELECT l.id, l.uuid, l.plan, p.price_cents::text AS cents, p.price_currency AS currency
         FROM unnest($2::text[], $3::text[], $4::text[], $6::uuid[]) AS l (id, uuid, plan, addon_id)
         LEFT JOIN addon_services s ON s.provider_id = $1
         LEFT JOIN plans p ON p.addon_service_id = s.id AND p.slug = l.plan
         WHERE NOT EXISTS (
             SELECT FROM addons a WHERE a.addon_service_id = s.id AND a.provider_id = l.id AND ${MAY_HOLD})
           AND NOT EXISTS (
             SELECT FROM addons a WHERE a.addon_service_id = s.id AND a.provider_id IS NULL AND a.id = l.addon_id
               AND ${MAY_HOLD})
           AND NOT EXISTS (
             SELECT FROM findings f WHERE f.provider_id = $1 AND f.resource = l.id AND f.resolved_at >= $5)`,
      [
        providerId,
        resources.map(({ id }) => id),
        resources.map(({ uuid }) => uuid),
        resources.map(({ plan }) => plan),
        began,
        // Where a provider gives no uuid, its id may be the one that we sent.
        resources.map(({ id, uuid }) => [uuid ?? id].find(isId) ?? null),
      ],
    );
    return rows.map(({ id, uuid, plan, cents, currency }) => ({
      kind: 'orphan',
      resource: id,
      addonId: null,
      detail: `The provider holds a resource ${plan === null ? '' : `of the plan ${plan} `}(uuid ${uuid ?? 'not given'}) that is no add-on's.`,
      monthlyCents: cents,
      currency,
    }));
  }

  /** Add-ons that were settled when the list was begun, still are, and are not in it. */
  async findPhantoms(
    tx: Tx,
    providerId: ProviderId,
    resources: ListedResource[],
    began: Date,
  ): Promise<Difference[]> {
    const rows: { id: AddonId; name: string; cents: string; currency: string }[] = await tx.query(
      `SELECT a.id, a.name, a.billed_cents::text AS cents, a.billed_currency AS currency
       FROM addons a JOIN addon_services s ON s.id = a.addon_service_id
       WHERE s.provider_id = $1 AND a.state = 'provisioned'
         AND NOT EXISTS (SELECT FROM operations o WHERE o.addon_id = a.id
           AND (o.finished_at IS NULL OR o.finished_at >= $4))
         AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS l (id) WHERE l.id = a.provider_id)
         AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS l (uuid) WHERE l.uuid = a.id::text)
       ORDER BY a.id`,
      [providerId, resources.map(({ id }) => id), resources.flatMap(({ uuid }) => uuid ?? []), began],
    );
    return rows.map(({ id, name, cents, currency }) => ({
      kind: 'phantom',
      resource: null,
      addonId: id,
      detail: `The provider does not list the resource of the add-on ${name}, which is charged for.`,
      monthlyCents: cents,
      currency,
    }));
  }

  /** Opens a finding for each difference that has none yet, and closes those whose difference is gone. */
  async settleFindings(tx: Tx, providerId: ProviderId, differences: Difference[], at: Date): Promise<void> {
    const columns = [
      differences.map(() => newId<Branded<'FindingId'>>()),
      differences.map(({ kind }) => kind),
      differences.map(({ resource }) => resource),
      differences.map(({ addonId }) => addonId),
      differences.map(({ detail }) => detail),
      differences.map(({ monthlyCents }) => monthlyCents),
      differences.map(({ currency }) => currency),
    ];
    await tx.query(
      `UPDATE findings f SET resolved_at = $4 WHERE f.provider_id = $1 AND f.kind IN ('orphan', 'phantom')
         AND f.resolved_at IS NULL AND NOT EXISTS (
           SELECT FROM unnest($2::text[], $3::text[]) AS d (kind, subject)
           WHERE d.kind = f.kind AND d.subject = coalesce(f.resource, f.addon_id::text))`,
      [
        providerId,
        differences.map(({ kind }) => kind),
        differences.map(({ resource, addonId }) => resource ?? addonId),
        at,
      ],
    );
    await tx.query(
      `INSERT INTO findings (id, kind, provider_id, resource, addon_id, detail, monthly_cents, monthly_currency, created_at)
       SELECT d.id, d.kind, $8::uuid, d.resource, d.addon_id, d.detail, d.cents, d.currency, $9
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::text[])
         AS d (id, kind, resource, addon_id, detail, cents, currency)
       ON CONFLICT DO NOTHING`,
      [...columns, providerId, at],
    );
  }

  /**
   * Asks for the removal of every orphan that an earlier comparison saw already; those that were asked for anew. What a
   * person closed is left alone, and everything while an add-on is there whose name at the provider is not known yet.
   */
  async requestSeenBefore(tx: Tx, providerId: ProviderId, seenBefore: Date, now: Date): Promise<FindingId[]> {
    const [rows]: [{ id: FindingId }[], number] = await tx.query(
      `UPDATE findings SET removal_due_at = $3 WHERE provider_id = $1 AND kind = 'orphan' AND resolved_at IS NULL
         AND removal_due_at IS NULL AND created_at < $2
         AND NOT EXISTS (SELECT FROM findings kept WHERE kept.provider_id = findings.provider_id
           AND kept.resource = findings.resource AND kept.resolved_by IS NOT NULL)
         AND NOT EXISTS (
           SELECT FROM addons a JOIN addon_services s ON s.id = a.addon_service_id
           WHERE s.provider_id = $1 AND a.provider_id IS NULL AND (a.removed_at IS NULL OR EXISTS (
             SELECT FROM operations o WHERE o.addon_id = a.id AND o.finished_at IS NULL)))
       RETURNING id`,
      [providerId, seenBefore, now],
    );
    return rows.map(({ id }) => id);
  }

  async lockFinding(tx: Tx, id: FindingId): Promise<Finding | null> {
    return tx.findOne(Finding, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async updateFinding(tx: Tx, id: FindingId, change: Partial<Finding>): Promise<void> {
    await tx.update(Finding, { id }, change);
  }

  /** Whether an add-on may hold this resource by now: then it is not ours to remove. */
  async isHeld(tx: Tx, providerId: ProviderId, resource: string, now: Date): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `SELECT 1 FROM addons a JOIN addon_services s ON s.id = a.addon_service_id
       WHERE s.provider_id = $1 AND (a.provider_id = $2 OR (a.provider_id IS NULL AND a.id::text = $2))
         AND (a.state <> 'deprovisioned' OR EXISTS (
           SELECT FROM operations o WHERE o.addon_id = a.id AND (o.finished_at IS NULL OR o.finished_at >= $3)))
       LIMIT 1`,
      [providerId, resource, now],
    );
    return rows.length > 0;
  }

  /** Removals whose time has come; none of them is taken again before `againAt`. */
  async takeDueRemovals(tx: Tx, now: Date, againAt: Date, max: number): Promise<FindingId[]> {
    const [rows]: [{ id: FindingId }[], number] = await tx.query(
      `UPDATE findings SET removal_nudged_until = $2 WHERE id IN (
         SELECT id FROM findings WHERE resolved_at IS NULL AND removal_due_at <= $1
           AND (removal_nudged_until IS NULL OR removal_nudged_until <= $1)
         ORDER BY removal_due_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id`,
      [now, againAt, max],
    );
    return rows.map(({ id }) => id);
  }
}
