import assert from 'node:assert/strict';
import { describe, inject, it } from 'vitest';
import type { QueueBackend } from '../../src/kernel/config.js';
import { ok } from '../support/api.js';
import { assertNothingLeftOver } from '../support/fleet-checks.js';
import { Fleet, uniqueName } from '../support/fleet.js';
import type { AddonBody } from '../support/resources.js';
import { inTurns, summarize } from './measure.js';

const APPS = 20;
const ADDONS = 600;
const AT_ONCE = 50;

for (const queue of ['redis', 'postgres'] satisfies QueueBackend[])
  describe.runIf(queue === 'postgres' || inject('redisUrl') !== null)(`${queue} as the queue`, () => {
    it(`${ADDONS} creations and as many deletions, ${AT_ONCE} at a time: none is orphaned, doubled or stuck`, async () => {
      const fleet = await Fleet.start(queue);
      try {
        const apps = Array.from({ length: APPS }, () => uniqueName('scale'));
        for (const name of apps) ok(await fleet.api.post('/apps', { name }));
        const create = async (index: number) =>
          ok(
            await fleet.api.post<AddonBody>(`/apps/${apps[index % APPS]}/addons`, {
              plan: 'souk-postgresql',
            }),
          );
        const destroy = async ({ app, name }: AddonBody) =>
          ok(await fleet.api.delete<AddonBody>(`/apps/${app.name}/addons/${name}`));

        const began = performance.now();
        const made = await inTurns(AT_ONCE, numbers(ADDONS), create);
        await fleet.quiet(600_000);
        summarize(
          `${queue}: ${ADDONS} creations, ${AT_ONCE} at a time`,
          made.times,
          performance.now() - began,
        );
        await assertNothingLeftOver(fleet);

        // The second half goes while as many new ones come.
        const half = ADDONS / 2;
        const gone = await inTurns(AT_ONCE, made.results.slice(0, half), destroy);
        summarize(`${queue}: requests for ${half} deletions`, gone.times);
        const both = performance.now();
        await Promise.all([
          inTurns(AT_ONCE / 2, made.results.slice(half), destroy),
          inTurns(AT_ONCE / 2, numbers(half), create),
        ]);
        await fleet.quiet(600_000);
        summarize(`${queue}: ${half} creations and ${half} deletions together`, [], performance.now() - both);
        const counts = await Promise.all(
          apps.map(async (name) => ok(await fleet.api.get<AddonBody[]>(`/apps/${name}/addons`)).length),
        );
        assert.deepEqual(new Set(counts), new Set([half / APPS]));
        await assertNothingLeftOver(fleet);
      } finally {
        await fleet.stop();
      }
    });
  });

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
