import { describe } from 'vitest';
import { killEverywhere } from './kill-everywhere.js';

describe("kill -9, with the queue on BullMQ's PostgreSQL backend", () => {
  killEverywhere('postgres');
});
