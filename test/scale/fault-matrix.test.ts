import { afterAll, beforeAll, describe, it } from 'vitest';
import { CASES } from '../support/fault-matrix.js';
import { FaultyCalls } from '../support/faulty-calls.js';

/** The whole of what test/provisioning/fault-matrix.test.ts tries a part of. */
describe(`the fault matrix, all ${CASES.length} cases`, () => {
  let calls: FaultyCalls;
  beforeAll(async () => {
    calls = await FaultyCalls.start();
  });
  afterAll(() => calls.stop());

  it.each(CASES.map((one) => [one.name, one] as const))('%s', (_name, one) => calls.run(one));
});
