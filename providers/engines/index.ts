export * from './types.js';
export { startPostgres } from './postgres.js';
export { freePort, isPortFree } from './ports.js';
export { dropTo, type SystemUser } from './system-user.js';
