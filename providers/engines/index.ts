export * from './types.js';
export { startPostgres } from './postgres.js';
export { startRedis } from './redis.js';
export { findPgClient } from './pg-client.js';
export { removeEngine } from './remove.js';
export { surveyEngines } from './survey.js';
export { freePort, isPortFree } from './ports.js';
export { dropTo } from './system-user.js';
export { holdLock, LockHeld } from './lock.js';
