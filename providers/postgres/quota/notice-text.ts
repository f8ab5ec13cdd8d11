import type { Notice } from '../../kit/index.js';
import { sayBytes } from '../plans.js';
import type { Level } from './judge.js';

/** The notice that tells of a new level. Its text depends on the level alone, so saying it again changes nothing. */
export function storageNotice(uuid: string, level: Level, limitBytes: number): Notice {
  const limit = sayBytes(limitBytes);
  const about = { uuid, key: 'storage' };
  switch (level) {
    case 'fine':
      return {
        ...about,
        severity: 'info',
        cleared: true,
        message: `The database uses less than 90 % of its ${limit} again.`,
      };
    case 'warned':
      return {
        ...about,
        severity: 'warning',
        cleared: false,
        message: `The database uses more than 90 % of its ${limit}. Over 100 % writes stop: delete data, or move it to an add-on of a larger plan.`,
      };
    case 'stopped':
      return {
        ...about,
        severity: 'critical',
        cleared: false,
        message:
          `The database is over its limit of ${limit}: writes are stopped, reads and deletes go on. ` +
          'Delete or truncate data, and writes come back by themselves once there is room.',
      };
  }
}
