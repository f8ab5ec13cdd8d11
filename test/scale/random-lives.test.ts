import fc from 'fast-check';
import { afterAll, beforeAll, it } from 'vitest';
import { RandomLives } from '../support/random-lives.js';
import { lives } from '../support/random-steps.js';

const SEQUENCES = Number(process.env.SOUK_SEQUENCES ?? 3_000);
/** A broker is replaced after so many, so that its tables do not make the last ones slow. */
const EACH = 250;

let random: RandomLives | null = null;
let run = 0;
const began = performance.now();
beforeAll(async () => {
  random = await RandomLives.start();
});
afterAll(async () => {
  await random?.stop();
  process.stdout.write(`${run} lives at random in ${((performance.now() - began) / 1_000).toFixed(0)} s\n`);
});

it(`${SEQUENCES} lives of add-ons at random end with nothing left over`, async () => {
  await fc.assert(
    fc.asyncProperty(lives, async (steps) => {
      if (run > 0 && run % EACH === 0) {
        await random?.stop();
        random = await RandomLives.start();
      }
      run += 1;
      await random?.run(steps);
    }),
    {
      numRuns: SEQUENCES,
      endOnFailure: true,
      ...(process.env.SOUK_SEED === undefined ? {} : { seed: Number(process.env.SOUK_SEED) }),
    },
  );
});
