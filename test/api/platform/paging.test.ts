import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, type Answer } from '../../support/api.js';
import { World } from '../../support/world.js';

let world: World;
let api: Api;
const NAMES = ['page-a', 'page-b', 'page-c', 'page-d', 'page-e'];

beforeAll(async () => {
  world = await World.start();
  api = await world.newAccount();
  for (const name of NAMES) {
    await world.newApp(api, name);
    await world.addAddon(name, 'pg:mini', api, { name: `${name}-db`, attachment: { name: 'SAME' } });
  }
});
afterAll(() => world.stop());

interface Named {
  id: string;
  name: string;
  app?: { name: string };
}

/** Every page from this range on, by following Next-Range as clients do. */
async function pages(path: string, first: string): Promise<Answer<Named[]>[]> {
  const seen: Answer<Named[]>[] = [];
  for (let range: string | null = first; range !== null && seen.length < 20;) {
    const page: Answer<Named[]> = await api.get<Named[]>(path, { range });
    seen.push(page);
    range = page.headers.get('next-range');
  }
  return seen;
}

const namesIn = async (path: string, range: string) =>
  (await pages(path, range)).flatMap(({ body }) => body.map(({ name }) => name));

describe('Range', () => {
  it('begins at the start or after it, and ends at the end', async () => {
    assert.deepEqual(await namesIn('/apps', 'name page-b..page-d'), ['page-b', 'page-c', 'page-d']);
    assert.deepEqual(await namesIn('/apps', 'name ]page-b..page-d'), ['page-c', 'page-d']);
    assert.deepEqual(await namesIn('/apps', 'name ..page-b'), ['page-a', 'page-b']);
    assert.deepEqual(await namesIn('/apps', 'name page-d..page-b; order=desc'), [
      'page-d',
      'page-c',
      'page-b',
    ]);
    assert.deepEqual(await namesIn('/apps', 'name page-x..page-z'), []);
  });

  it('keeps its end and its order over pages', async () => {
    assert.deepEqual(await namesIn('/apps', 'name page-a..page-d; max=2'), NAMES.slice(0, 4));
    assert.deepEqual(await namesIn('/apps', 'name ..page-b; order=desc, max=1'), NAMES.slice(1).reverse());
  });

  it('says in its headers what was sent and what is left', async () => {
    const [first, second] = await pages('/apps', 'name ..page-d; max=3');
    assert.deepEqual(
      [first, second].map((page) => [
        page?.status,
        page?.headers.get('accept-ranges'),
        page?.headers.get('content-range'),
        page?.headers.get('next-range'),
      ]),
      [
        [206, 'id, name', 'name page-a..page-c', 'name ]page-c..page-d; order=asc, max=3'],
        [200, 'id, name', 'name page-d..page-d', null],
      ],
    );
    const [empty] = await pages('/apps', 'name page-x..');
    assert.deepEqual([empty?.status, empty?.headers.get('content-range')], [200, null]);
  });

  it.each(['0', '-1', 'abc', '1001', '1.5', ''])('is refused with max=%s', async (max) => {
    assertRefused(await api.get('/apps', { range: `name ..; max=${max}` }), 416, 'invalid_range');
  });

  it('is refused where its start or end is no value of the field', async () => {
    for (const range of ['id x..', 'id ..x'])
      assertRefused(await api.get('/apps', { range }), 416, 'invalid_range');
    assertRefused(
      await api.get('/apps/page-a/releases', { range: 'version ..99999999999' }),
      416,
      'invalid_range',
    );
  });
});

describe('attachments of one name', () => {
  it.each(['asc', 'desc'])('are all on some page, once, %s', async (order) => {
    const seen = await pages('/addon-attachments', `name ..; max=2, order=${order}`);
    assert.deepEqual(
      seen.map(({ body, status }) => [body.length, status]),
      [
        [2, 206],
        [2, 206],
        [1, 200],
      ],
    );
    const apps = seen.flatMap(({ body }) => body.map((one) => one.app?.name));
    assert.deepEqual(apps.sort(), NAMES);
  });
});

it('attachments on an app that is gone are neither listed nor found, whatever became of their add-on', async () => {
  const [one] = (await api.get<Named[]>('/addon-attachments')).body;
  await world.database.query('UPDATE apps SET destroyed_at = now() WHERE name = $1', [one?.app?.name]);
  assert.equal(
    (await api.get<Named[]>('/addon-attachments')).body.some(({ id }) => id === one?.id),
    false,
  );
  assertRefused(await api.get(`/addon-attachments/${one?.id}`), 404, 'not_found');
});
