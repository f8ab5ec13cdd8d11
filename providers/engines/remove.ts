import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { findPlace, removePlace } from './place.js';
import { processesIn } from './processes.js';

/** Removes a stopped engine with its data for good, wherever the data lies. */
export async function removeEngine(options: {
  home: string;
  kind: 'postgres' | 'redis';
  name: string;
}): Promise<void> {
  const engine = options.kind === 'postgres' ? 'postgresql' : 'valkey';
  const place = await findPlace(engine, options.kind, options.home, options.name);
  await withLock(join(place.folder, 'lock'), 60_000, async () => {
    const data = join(place.base, 'data');
    if ((await processesIn(data, place.user)).length > 0)
      throw new Error(`${data} is in use; stop its engine first.`);
    await rm(data, { recursive: true, force: true });
    await rm(join(place.folder, 'state.json'), { force: true });
    for (const log of ['server.log', 'server.log.1']) await rm(join(place.folder, log), { force: true });
  });
  await removePlace(place);
}
