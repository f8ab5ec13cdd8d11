import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { applyAddonConfig, listAddonConfig } from './addon-config.js';

const DECLARED = ['PG_URL', 'PG_POOL_URL'];

describe('a provider that changes its config', () => {
  it('sets, unsets and leaves alone', () => {
    assert.deepEqual(
      applyAddonConfig(
        { PG_URL: 'a', PG_POOL_URL: 'b' },
        [
          { name: 'PG_URL', value: 'c' },
          { name: 'PG_POOL_URL', value: null },
        ],
        DECLARED,
      ),
      { after: { PG_URL: 'c' }, set: ['PG_URL'], unset: ['PG_POOL_URL'] },
    );
    assert.deepEqual(applyAddonConfig({ PG_URL: 'a' }, [{ name: 'PG_URL', value: 'a' }], DECLARED), {
      after: { PG_URL: 'a' },
      set: [],
      unset: [],
    });
  });

  it('cannot set what its manifest does not declare, what cannot be stored, or too much', () => {
    for (const [name, value, error] of [
      ['OTHER_URL', 'x', /manifest declares/],
      ['__proto__', 'x', /manifest declares/],
      ['PG_URL', 'a\0b', /zero byte/],
      ['PG_URL', 'x'.repeat(70_000), /64 KiB/],
    ] as const)
      assert.throws(() => applyAddonConfig({}, [{ name, value }], DECLARED), error);
  });

  it('is told its config by name', () => {
    assert.deepEqual(listAddonConfig({ B: '2', A: '1' }), [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ]);
  });
});
