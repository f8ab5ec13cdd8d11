import { describe } from 'vitest';
import { queueBackends } from '../support/world.js';
import { killEverywhere } from './kill-everywhere.js';

// Where no Redis can be had, the set-up of the suites has said so by name.
describe.runIf(queueBackends().includes('redis'))('kill -9, with the queue on Redis', () => {
  killEverywhere('redis');
});
