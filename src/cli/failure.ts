import { EngineUnavailable } from '../../providers/engines/index.js';
import { ConformanceError } from '../conformance/verdict.js';
import { SettingsError } from '../kernel/config.js';
import { DamagedFile } from '../kernel/whole-file.js';
import { HomeInUse } from '../roots/bring-up.js';
import { ApiError } from './api-client.js';

/** Errors whose message says all that a person needs. */
const FORESEEN = [ApiError, EngineUnavailable, HomeInUse, DamagedFile, ConformanceError];

/** What a person reads when a command fails: one sentence on what is wrong, and what to do. */
export function explainFailure(error: unknown): string {
  if (error instanceof SettingsError) return error.problems.join('\n');
  if (FORESEEN.some((kind) => error instanceof kind)) return messageOf(error);
  const code = codeOf(error);
  if (code === 'EADDRINUSE')
    return 'Another program listens on that port. Stop it, or choose another with PORT=5001 (PORT=0 takes any free one).';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${messageOf(error)}. Is that address right? HOST must be one of this machine's own; look at DATABASE_URL and REDIS_URL, too.`;
  if (code === 'EACCES' && isListen(error))
    return `${messageOf(error)}. Only root may listen there: choose a port above 1023 with PORT=….`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${messageOf(error)}. Choose a folder of your own with SOUK_HOME=….`;
  if (code === 'ECONNREFUSED')
    return `${messageOf(error)}. Nothing answers at that address: check DATABASE_URL and REDIS_URL, and \`souk doctor\`.`;
  // Not foreseen: the stack is what helps whoever mends it.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function codeOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
}

function isListen(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(codeOf(error));
}
