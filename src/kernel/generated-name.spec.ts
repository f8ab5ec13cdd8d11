import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { defineErrors } from './errors.js';
import { underGeneratedName } from './generated-name.js';

const errors = defineErrors({
  test_name_taken: { status: 422, message: 'Taken.' },
  test_other: { status: 422, message: 'Other.' },
});

describe('a generated name', () => {
  const generator = () => {
    let count = 0;
    return () => `name-${(count += 1)}`;
  };

  it('gives way to the next one where it is taken', async () => {
    const tried: string[] = [];
    const made = await underGeneratedName(generator(), 'test_name_taken', async (name) => {
      tried.push(name);
      if (tried.length < 3) throw errors.test_name_taken();
      return name;
    });
    assert.equal(made, 'name-3');
    assert.deepEqual(tried, ['name-1', 'name-2', 'name-3']);
  });

  it.each([
    ['stops after five that are taken', errors.test_name_taken(), 5],
    ['is not tried again after any other refusal', errors.test_other(), 1],
    ['is not tried again after a failure', new Error('broken'), 1],
  ])('%s', async (_case, error, expected) => {
    let tries = 0;
    const made = underGeneratedName(generator(), 'test_name_taken', async () => {
      tries += 1;
      throw error;
    });
    await assert.rejects(made, error);
    assert.equal(tries, expected);
  });
});
