import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { assertDefinition, assertParts } from './provider-definition.js';

const nothing = (): void => undefined;
const PARTS = { draft: nothing, create: nothing, destroy: nothing, credentials: nothing };

describe('what a provider is made of', () => {
  it('is taken as it is meant', () => {
    assertDefinition({ module: 'file:///x.js', start: nothing });
    assertParts({ ...PARTS, asynchronous: true });
  });

  it('is refused in the wrong place, with the right one', () => {
    assert.throws(
      () => assertDefinition({ module: 'x', start: nothing, asynchronous: true }),
      /asynchronous belongs into what start returns/,
    );
    assert.throws(() => assertParts({ ...PARTS, migrations: [] }), /migrations belongs into defineProvider/);
  });

  it('is refused where it means nothing, with what would', () => {
    assert.throws(() => assertParts({ ...PARTS, dashbord: nothing }), /dashbord .* It takes .*dashboard/);
  });

  it('is refused where something is missing', () => {
    assert.throws(() => assertParts({ draft: nothing, create: nothing }), /lacks destroy, credentials/);
  });
});
