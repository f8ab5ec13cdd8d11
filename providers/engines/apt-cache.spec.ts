import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import { fetchFromDebian, fetchInto, whyNoApt } from './apt-cache.js';
import type { AptSource } from './apt-sources.js';
import { PG_CLIENT_RECIPE, REDIS_RECIPES } from './debian-recipes.js';
import { run } from './processes.js';
import { withEnvironment, Workbench } from './spec-support.js';
import { dropTo } from './system-user.js';

describe('programs from Debian', () => {
  const bench = new Workbench();
  afterEach(() => bench.clear());

  function mirrorAt(folder: string): AptSource {
    return { uri: `file:${folder}`, suites: ['trixie'], components: ['main'], signedBy: null };
  }

  /** Fetches from a mirror in a folder; gives what was refused, having seen that nothing was kept. */
  async function refusal(mirror: AptSource): Promise<string> {
    const cache = await bench.home(0o755);
    const target = join(cache, 'unpacked');
    const error: unknown = await fetchInto(PG_CLIENT_RECIPE, [mirror], cache, target).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error);
    assert.deepEqual(await readdir(cache), ['apt']);
    return error.message;
  }

  it('are refused when the archive did not sign them, or has none', async () => {
    const forged = await bench.home(0o755);
    const suite = join(forged, 'dists/trixie');
    await mkdir(join(suite, 'main/binary-amd64'), { recursive: true });
    await writeFile(join(suite, 'Release'), 'Origin: Debian\nSuite: stable\nCodename: trixie\n');
    await writeFile(join(suite, 'main/binary-amd64/Packages'), 'Package: libc6\nVersion: 666\n');
    const obstacle = await whyNoApt();
    const because = obstacle === null ? /^apt-get update failed: .*not signed/ : /^apt-get update failed/;
    assert.match(await refusal(mirrorAt(forged)), because);
    assert.match(await refusal(mirrorAt('/nowhere')), /^apt-get update failed: \S+/);
  });

  it('run as the engines run them, the older Redis for a start', async () => {
    const home = await bench.home(0o755);
    const user = await dropTo('test');
    for (const recipe of REDIS_RECIPES) {
      const fetched = fetchFromDebian(recipe, home, user, () => undefined);
      const obstacle = await whyNoApt();
      if (obstacle !== null) {
        await assert.rejects(fetched, { message: obstacle });
        continue;
      }
      const { command, args, env } = (await fetched).command(recipe.proofs[0] ?? '');
      const { stdout } = await run(command, [...args, '--version'], { user, env, timeoutMs: 20_000 });
      assert.match(stdout, recipe.name === 'valkey' ? /^Valkey server v=\d/ : /^Redis server v=\d/);
    }
  });

  it('go nowhere but to the folder that SOUK_ENGINE_CACHE names, and say when it cannot be', async () => {
    const home = await bench.home(0o700);
    const file = join(home, 'a-file');
    await writeFile(file, '');
    const fetch = withEnvironment({ SOUK_ENGINE_CACHE: file }, () =>
      fetchFromDebian(PG_CLIENT_RECIPE, home, null, () => undefined),
    );
    await assert.rejects(fetch, (await whyNoApt()) === null ? /SOUK_ENGINE_CACHE names cannot/ : /./);
    assert.deepEqual(await readdir(home), ['a-file']);
  });
});
