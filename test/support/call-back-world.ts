import assert from 'node:assert/strict';
import { CrashPoints } from '../../src/kernel/crash-points.js';
import type { World } from './world.js';

/** Dies, as far as one request can, the next time that a point is reached. */
export class OneCrash extends CrashPoints {
  private point: string | null = null;

  at(point: string): void {
    this.point = point;
  }

  /** Whether it has not come to that. */
  get isDue(): boolean {
    return this.point !== null;
  }

  override reach(point: string): void {
    if (point !== this.point) return;
    this.point = null;
    throw new Error(`died at ${point}`);
  }
}

/** Both sides hold the same, nothing is open, and charges, tokens and releases are as the states say. */
export async function assertNothingLeftOver(world: World): Promise<void> {
  const rows = await world.database.query<{ id: string }>(
    "SELECT id FROM addons WHERE state = 'provisioned'",
  );
  assert.deepEqual(world.provider.liveResources(), rows.map(({ id }) => id).sort(), 'resources and add-ons');
  for (const [what, sql] of [
    ['open operations', 'SELECT id FROM operations WHERE finished_at IS NULL'],
    [
      'add-ons that are neither made nor gone',
      "SELECT id FROM addons WHERE state NOT IN ('provisioned', 'deprovisioned')",
    ],
    [
      'charges that do not go with the state',
      `SELECT a.id FROM addons a WHERE (a.state = 'provisioned') <> EXISTS
         (SELECT 1 FROM addon_plan_periods p WHERE p.addon_id = a.id AND p.ended_at IS NULL)`,
    ],
    [
      'charges for what failed',
      'SELECT a.id FROM addons a JOIN addon_plan_periods p ON p.addon_id = a.id WHERE a.failed',
    ],
    [
      'tokens of what is gone',
      `SELECT t.id FROM addon_tokens t JOIN addons a ON a.id = t.addon_id
       WHERE a.removed_at IS NOT NULL AND t.revoked_at IS NULL`,
    ],
    [
      'attachments of what is gone',
      `SELECT at.id FROM attachments at JOIN addons a ON a.id = at.addon_id
       WHERE a.removed_at IS NOT NULL AND at.detached_at IS NULL`,
    ],
    [
      'gaps between releases',
      'SELECT app_id FROM releases GROUP BY app_id HAVING max(version) <> count(*) OR min(version) <> 1',
    ],
  ] as const)
    assert.deepEqual(await world.database.query(sql), [], what);
}
