import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, beforeEach, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.js';
import type { AddonBody } from '../support/resources.js';
import { World } from '../support/world.js';

const ACTIONS = [
  {
    name: 'backups.create',
    title: 'Make a backup',
    kind: 'command',
    params: {
      type: 'object',
      required: ['label'],
      properties: { label: { type: 'string' }, keep: { type: 'integer' } },
    },
  },
  { name: 'wipe', title: 'Delete all data', kind: 'command', confirm: true },
];

let world: World;
let addon: AddonBody;
beforeAll(async () => {
  world = await World.start({ waits: { providerTimeoutMs: 2_000, settleMs: 1_500 } });
  await world.importManifest({ souk: { actions: ACTIONS } });
  addon = await world.addAddon((await world.newApp()).name);
});
afterAll(() => world.stop());
beforeEach(() => {
  vi.stubEnv('SOUK_URL', world.api.url);
  vi.stubEnv('SOUK_TOKEN', world.api.token ?? '');
  world.provider.onAction(null);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What the command prints. */
async function souk(...args: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await buildProgram().parseAsync(['addons:action', addon.name, ...args], { from: 'user' });
  } finally {
    vi.restoreAllMocks();
  }
  return written.join('');
}

it('addons:action lists what a provider offers, with its params', async () => {
  const text = await souk();
  assert.match(text, /backups\.create +Make a backup +command +label=string \[keep=integer\]/);
  assert.match(text, /wipe .* yes/);
  const listed = JSON.parse(await souk('--json')) as { name: string }[];
  assert.deepEqual(
    listed.map(({ name }) => name),
    ['backups.create', 'wipe'],
  );
});

it('runs one with typed params, and prints its result', async () => {
  const text = await souk('backups.create', '--param', 'label=a=b', '--param', 'keep=3');
  assert.match(text, /Done\./);
  assert.deepEqual(world.provider.actionsDone.at(-1)?.params, { label: 'a=b', keep: 3 });
});

it('waits for the end after a 202, or does not', async () => {
  world.provider.onAction({ status: 202, body: {} });
  assert.match(await souk('backups.create', '--param', 'label=x'), /Done\./);
  world.provider.onAction({ status: 202, body: {} });
  const run = JSON.parse(await souk('backups.create', '--param', 'label=x', '--no-wait', '--json')) as {
    state: string;
  };
  assert.equal(run.state, 'pending');
  await world.runUntilQuiet();
});

it('says what was refused', async () => {
  await assert.rejects(souk('backups.create'), /params\.label is missing/);
  await assert.rejects(souk('nonsense'), /has no such action/);
  await assert.rejects(souk('wipe'), /has to be confirmed/);
  world.provider.onAction({ status: 422, body: { message: 'The data is locked.' } });
  await assert.rejects(souk('wipe', '--confirm', addon.name), /refused wipe: The data is locked\./);
  // After a 202 too, where nobody but the command is left to say it.
  world.provider.onAction({ status: 202, body: {} });
  world.provider.onAction({ status: 422, body: { message: 'It broke.' } });
  await assert.rejects(souk('wipe', '--confirm', addon.name), /It broke\./);
});
