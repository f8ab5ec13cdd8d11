import { afterAll, beforeAll, describe, it } from 'vitest';
import { slice } from '../support/fault-matrix.js';
import { FaultyCalls } from '../support/faulty-calls.js';

/** Of each call and fault; test/scale has all. */
const EACH = 2;

/** Whatever a provider answers once, wherever a worker dies: both sides hold the same in the end. */
describe('the fault matrix', () => {
  let calls: FaultyCalls;
  beforeAll(async () => {
    calls = await FaultyCalls.start();
  });
  afterAll(() => calls.stop());

  it.each(slice(EACH).map((one) => [one.name, one] as const))('%s', (_name, one) => calls.run(one));
});
