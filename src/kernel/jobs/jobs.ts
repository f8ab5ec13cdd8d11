/** Every job there is, with its payload. Payloads carry ids only: what is known lies in PostgreSQL. */
export interface Jobs {
  /** Moves one operation on: claim, call the provider, record. */
  'operation.advance': { operationId: string };
  /** Lays a provider's list of resources beside our add-ons. */
  'inventory.compare': { providerId: string };
  /** Deletes a resource that is no add-on's at its provider. */
  'finding.remove_orphan': { findingId: string };
}

export type JobName = keyof Jobs;

const names: Record<JobName, true> = {
  'operation.advance': true,
  'inventory.compare': true,
  'finding.remove_orphan': true,
};

/** All job names, for the check that each has exactly one handler. */
export const JOB_NAMES = Object.keys(names) as JobName[];
