import { randomBytes } from 'node:crypto';
import format from 'pg-format';

/** What a tenant has in the cluster. All names are random, since every tenant can list them. */
export interface TenantNames {
  /** The database; a role of the same name holds the right to connect to it (see pg_hba's `samerole`). */
  database: string;
  /** The role that customers log in with; owns nothing. */
  login: string;
  /** The role that owns whatever the tenant makes; nobody logs in with it. */
  owner: string;
}

/** Matches the databases of tenants, and the roles that let in to them. */
export const TENANT_DATABASE = '^d[0-9a-f]{20}$';
/** Matches every role of a tenant. */
export const TENANT_ROLE = '^[dou][0-9a-f]{20}$';

/** New names. The owner's is derived from the database's, as the ownership trigger expects. */
export function randomNames(): TenantNames {
  const mark = randomBytes(10).toString('hex');
  return { database: `d${mark}`, login: `u${mark}`, owner: `o${mark}` };
}

/** The names that were stored with a resource. */
export function namesOf(facts: Record<string, string>): TenantNames {
  const { database, login, owner } = facts;
  if (database === undefined || login === undefined || owner === undefined)
    throw new Error('The stored facts of a resource lack its names.');
  return { database, login, owner };
}

/** The names as they stand in SQL. */
export function quoteNames({ database, login, owner }: TenantNames): TenantNames {
  return { database: format.ident(database), login: format.ident(login), owner: format.ident(owner) };
}
