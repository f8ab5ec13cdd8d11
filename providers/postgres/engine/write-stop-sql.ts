import { randomBytes } from 'node:crypto';
import format from 'pg-format';
import type { Session } from '../../kit/index.js';
import { quoteNames, type TenantNames } from './names.js';
import { LARGE_OBJECT_WRITERS, TENANT_GROUP } from './template.js';

/** The right to create in a schema, taken away while writes are stopped. */
interface SchemaGrant {
  schema: string;
  /** `PUBLIC` or a role's name, as it stands in SQL. */
  grantee: string;
  grantable: boolean;
}

/** What has to be given back; kept as the comment of the event trigger, so that it is there or not with the stop itself. */
export interface StopNote {
  schemaGrants: SchemaGrant[];
}

/** Schemas that customers can have something in. */
const CUSTOM_SCHEMA = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;

const OUR_TRIGGER = `tgfoid = 'pg_catalog.souk_no_writes()'::regprocedure`;

/** What an earlier stop took away; null while writes go on. */
export async function readNote(session: Session): Promise<StopNote | null> {
  const [row] = await session.query<{ note: string | null }>(
    `SELECT obj_description(oid, 'pg_event_trigger') AS note FROM pg_event_trigger WHERE evtname = 'souk_no_ddl'`,
  );
  if (row === undefined) throw new Error('The database lacks its event trigger.');
  return row.note === null ? null : (JSON.parse(row.note) as StopNote);
}

/** Keeps what was taken away, or forgets it. */
export async function writeNote(session: Session, note: StopNote | null): Promise<void> {
  const text = note === null ? 'NULL' : format.literal(JSON.stringify(note));
  await session.query(`COMMENT ON EVENT TRIGGER souk_no_ddl IS ${text}`);
}

/**
 * The membership goes, and with it every right of the login. What still runs with the owner's rights (functions,
 * rules, foreign keys) meets the event trigger on DDL and GRANT, and finds no place to create anything: EXPLAIN ANALYZE
 * CREATE TABLE AS is no DDL to an event trigger, so the rights to create have to go, too.
 */
export async function forbid(session: Session, names: TenantNames): Promise<void> {
  const { database: name, login: user, owner: keeper } = quoteNames(names);
  await session.query(`
    REASSIGN OWNED BY ${user} TO ${keeper};
    ALTER EVENT TRIGGER souk_no_ddl ENABLE ALWAYS;
    REVOKE ${keeper} FROM ${user};
    REVOKE CREATE, TEMPORARY ON DATABASE ${name} FROM ${keeper};
    REVOKE EXECUTE ON FUNCTION ${LARGE_OBJECT_WRITERS} FROM ${TENANT_GROUP};`);
}

/** Gives back what `forbid` and `takeSchemaGrants` took. */
export async function permit(session: Session, names: TenantNames, grants: SchemaGrant[]): Promise<void> {
  const { database: name, login: user, owner: keeper } = quoteNames(names);
  const schemas = await customSchemas(session);
  const roles = await session.query<{ name: string }>('SELECT quote_ident(rolname) AS name FROM pg_roles');
  // Both may be gone by now: a schema by the owner's hand, a role with its own tenant.
  const takes = (grantee: string) => grantee === 'PUBLIC' || roles.some(({ name }) => name === grantee);
  const given = grants
    .filter(({ schema, grantee }) => schemas.includes(schema) && takes(grantee))
    .map(
      ({ schema, grantee, grantable }) =>
        `GRANT CREATE ON SCHEMA ${schema} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''};`,
    );
  await session.query(`
    ${given.join('\n')}
    GRANT EXECUTE ON FUNCTION ${LARGE_OBJECT_WRITERS} TO ${TENANT_GROUP};
    GRANT CREATE, TEMPORARY ON DATABASE ${name} TO ${keeper};
    GRANT ${keeper} TO ${user} WITH INHERIT TRUE, SET TRUE;
    ALTER EVENT TRIGGER souk_no_ddl DISABLE;`);
}

/** Revokes every right to create in a schema and gives back what there was; an owner's own right is one of them. */
export async function takeSchemaGrants(session: Session): Promise<SchemaGrant[]> {
  const grants = await session.query<{ schema: string; grantee: string; grantable: boolean }>(
    `SELECT quote_ident(nspname) AS schema, is_grantable AND grantee <> nspowner AS grantable,
       CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee
     FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
     WHERE ${CUSTOM_SCHEMA} AND privilege_type = 'CREATE'`,
  );
  const statements = grants.map(
    ({ schema, grantee }) => `REVOKE CREATE ON SCHEMA ${schema} FROM ${grantee} CASCADE;`,
  );
  if (statements.length > 0) await session.query(statements.join('\n'));
  return grants;
}

/**
 * Gives each table that lacks them the triggers that refuse writes; returns how many tables got them. INSERT is refused
 * by the statement, since that is the table it names, partitions or not. UPDATE is refused by the row: a foreign key
 * with ON DELETE SET NULL updates at each delete, and mostly no row at all.
 */
export async function addTriggers(session: Session, max: number): Promise<number> {
  const tables = await session.query<{ name: string; rows: boolean }>(
    `SELECT c.oid::regclass::text AS name, c.relkind = 'r' AS rows
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${CUSTOM_SCHEMA}
       AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgisinternal AND ${OUR_TRIGGER})
     LIMIT $1`,
    [max],
  );
  if (tables.length === 0) return 0;
  // Nobody can have taken this name beforehand.
  const trigger = `souk_${randomBytes(8).toString('hex')}`;
  const refuse = 'EXECUTE FUNCTION pg_catalog.souk_no_writes();';
  const statements = tables.flatMap(({ name, rows }) => [
    `CREATE TRIGGER ${trigger} BEFORE INSERT ON ${name} FOR EACH STATEMENT ${refuse}`,
    ...(rows ? [`CREATE TRIGGER ${trigger}_row BEFORE UPDATE ON ${name} FOR EACH ROW ${refuse}`] : []),
  ]);
  await session.transaction(async (tx) => {
    await tx.query(statements.join('\n'));
    // Dumps leave internal triggers out: one taken now must be restorable elsewhere.
    await tx.query('UPDATE pg_trigger SET tgisinternal = true WHERE tgname = ANY ($1)', [
      [trigger, `${trigger}_row`],
    ]);
  });
  return tables.length;
}

/** Takes the triggers away again; returns how many went. */
export async function dropTriggers(session: Session, max: number): Promise<number> {
  const triggers = await session.query<{ name: string; trigger: string }>(
    `SELECT tgrelid::regclass::text AS name, quote_ident(tgname) AS trigger
     FROM pg_trigger WHERE ${OUR_TRIGGER} LIMIT $1`,
    [max],
  );
  if (triggers.length === 0) return 0;
  await session.transaction(async (tx) => {
    await tx.query(triggers.map(({ name, trigger }) => `DROP TRIGGER ${trigger} ON ${name};`).join('\n'));
  });
  return triggers.length;
}

/**
 * What the login keeps, through the role of the database: to read, delete and truncate everything that the owner
 * could. It is no owner now, so row-level policies and the ownership of large objects must not stand in its way.
 */
export async function grantReading(session: Session, names: TenantNames): Promise<void> {
  const { database: gate, login: user } = quoteNames(names);
  const schemas = await customSchemas(session);
  const rights = schemas.map(
    (schema) => `
      GRANT USAGE ON SCHEMA ${schema} TO ${gate};
      GRANT SELECT, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ${schema} TO ${gate};
      GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${gate};`,
  );
  await session.query(`
    ${rights.join('\n')}
    ALTER ROLE ${user} BYPASSRLS;
    ALTER ROLE ${user} IN DATABASE ${gate} SET lo_compat_privileges = on;`);
}

/** Takes back what `grantReading` gave: membership in the owner's role gives more. */
export async function revokeReading(session: Session, names: TenantNames): Promise<void> {
  const { database: gate, login: user } = quoteNames(names);
  const schemas = await customSchemas(session);
  const rights = schemas.map(
    (schema) => `
      REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${gate};
      REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM ${gate};
      REVOKE ALL ON SCHEMA ${schema} FROM ${gate};`,
  );
  await session.query(`
    ${rights.join('\n')}
    ALTER ROLE ${user} NOBYPASSRLS;
    ALTER ROLE ${user} IN DATABASE ${gate} RESET lo_compat_privileges;`);
}

async function customSchemas(session: Session): Promise<string[]> {
  const rows = await session.query<{ schema: string }>(
    `SELECT quote_ident(nspname) AS schema FROM pg_namespace WHERE ${CUSTOM_SCHEMA}`,
  );
  return rows.map(({ schema }) => schema);
}
