import assert from 'node:assert/strict';
import { it } from 'vitest';
import { ok } from '../support/api.js';
import { World } from '../support/world.js';
import { CrashPoints } from '../../src/kernel/crash-points.js';
import { CREATION, DELETION, ELSEWHERE, PLAN_CHANGE } from './points.js';

class Recorder extends CrashPoints {
  readonly seen = new Set<string>();
  override reach(point: string): void {
    this.seen.add(point);
  }
}

it('a creation, a plan change and a deletion pass the points of the lists below, and no others', async () => {
  const recorder = new Recorder();
  const world = await World.start({ crashPoints: recorder });
  try {
    const app = await world.newApp();
    // Once without a verdict, so that the reconciler has something to find.
    world.provider.onProvision({ status: 500 });
    const addon = await world.addAddon(app.name);
    await world.runUntilQuiet();
    ok(await world.api.patch(`/apps/${app.name}/addons/${addon.name}`, { plan: 'pg:std' }));
    await world.runUntilQuiet();
    ok(await world.api.delete(`/apps/${app.name}/addons/${addon.name}`));
    await world.runUntilQuiet();
    const listed = new Set([...CREATION, ...PLAN_CHANGE, ...DELETION].map(([, point]) => point));
    assert.deepEqual(
      [...recorder.seen].filter((point) => !listed.has(point) && !ELSEWHERE.test(point)),
      [],
    );
    assert.deepEqual(
      [...listed].filter((point) => !recorder.seen.has(point)),
      [],
    );
  } finally {
    await world.stop();
  }
});
