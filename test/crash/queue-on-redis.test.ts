import { describe, it } from 'vitest';
import { queueBackends } from '../support/world.js';
import { killEverywhere } from './kill-everywhere.js';

describe('kill -9, with the queue on Redis', () => {
  // Where no Redis can be had, the set-up of the suites has said so by name.
  if (queueBackends().includes('redis')) killEverywhere('redis');
  else it('is not to be had on this machine', () => undefined);
});
