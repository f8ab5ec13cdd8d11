export * from './types.js';
export { postgresPort, setPostgresPort, startPostgres } from './postgres.js';
export { startRedis } from './redis.js';
export { findPgClient } from './pg-client.js';
export { foldersElsewhere, replaceFile } from './place.js';
export { removeEngine } from './remove.js';
export { surveyEngines } from './survey.js';
export { freePort, isPortFree, whyNoListening } from './ports.js';
export { holdLock, LockHeld } from './lock.js';
