import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { describeChanges, isSameManifest } from './manifest-diff.js';

const MANIFEST = {
  id: 'acme',
  api: { password: 'old-secret', regions: ['us'], production: { base_url: 'https://a.test/x' } },
  plans: [{ id: 'small', price: { cents: 500 } }, { id: 'large' }],
};

describe('describeChanges', () => {
  it.each([
    ['nothing', { ...MANIFEST, $base: 3 }, []],
    ['a field', { ...MANIFEST, name: 'Acme' }, ['name was added: "Acme".']],
    [
      'a list',
      { ...MANIFEST, api: { ...MANIFEST.api, regions: ['us', 'eu'] } },
      ['api.regions was changed from ["us"] to ["us","eu"].'],
    ],
    [
      'a plan, by its id',
      { ...MANIFEST, plans: [{ id: 'small', price: { cents: 700 } }] },
      ['plans.small.price.cents was changed from 500 to 700.', 'plans.large was removed: {"id":"large"}.'],
    ],
    [
      'a secret, which is not shown',
      { ...MANIFEST, api: { ...MANIFEST.api, password: 'new-secret' } },
      ['api.password was changed.'],
    ],
    [
      'all of api, without the secrets in it',
      { id: 'acme', plans: MANIFEST.plans },
      ['api was removed: {"regions":["us"],"production":{"base_url":"https://a.test/x"}}.'],
    ],
  ])('%s', (_name, to, changes) => {
    assert.deepEqual(describeChanges(MANIFEST, to), changes);
  });

  it('is bounded, in number and in length', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 'x'.repeat(500)]));
    const changes = describeChanges({}, many);
    assert.equal(changes.length, 21);
    assert.ok(changes.every((one) => one.length < 130));
  });
});

it('two manifests are the same whatever their $base and the order of their fields', () => {
  const { id, ...rest } = MANIFEST;
  assert.equal(isSameManifest({ ...MANIFEST, $base: 1 }, { ...rest, id, $base: 2 }), true);
  assert.equal(isSameManifest(MANIFEST, { ...MANIFEST, plans: [] }), false);
});
