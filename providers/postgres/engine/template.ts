/** The database that every tenant's is copied from: hardened once, so that a new one needs no further work inside. */
export const TEMPLATE = 'souk_template';
/** Every tenant's owner role is in it; rights that all tenants have in their own database are given to it. */
export const TENANT_GROUP = 'souk_tenant';
/** Raised by one when the text below changes: the template is then made anew, for databases that come later. */
export const TEMPLATE_VERSION = 'souk template 3';

/** Functions that write large objects: they ask for no right on any table, so the right to call them is what counts. */
export const LARGE_OBJECT_WRITERS = [
  'lo_creat(integer)',
  'lo_create(oid)',
  'lo_from_bytea(oid, bytea)',
  'lo_put(oid, bigint, bytea)',
  'lowrite(integer, bytea)',
  'lo_truncate(integer, integer)',
  'lo_truncate64(integer, bigint)',
]
  .map((name) => `pg_catalog.${name}`)
  .join(', ');

/**
 * Objects that a login makes under its own name go to the owner role at once. Only the session's user is asked, which
 * no customer can change; the parts of the plpgsql extension are left out of a customer's dumps, so these become parts.
 */
const KEEP_OWNERSHIP = `
CREATE FUNCTION pg_catalog.souk_own() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keeper oid := to_regrole('o' || substr(current_database(), 2));
  maker oid := (SELECT oid FROM pg_authid WHERE rolname = session_user AND NOT rolsuper);
BEGIN
  IF EXISTS (SELECT FROM pg_auth_members WHERE roleid = keeper AND member = maker) THEN
    EXECUTE format('REASSIGN OWNED BY %s TO %s', maker::regrole, keeper::regrole);
  END IF;
END $$;
CREATE EVENT TRIGGER souk_own ON ddl_command_end EXECUTE FUNCTION pg_catalog.souk_own();
ALTER EVENT TRIGGER souk_own ENABLE ALWAYS;
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.souk_own();
ALTER EXTENSION plpgsql ADD EVENT TRIGGER souk_own;`;

/**
 * What stops writes over quota, whoever runs them: a customer's functions with the owner's rights, its rules, its
 * triggers. Asked by the current user, not the session's, since our own VACUUM runs a customer's index functions.
 */
const STOP_WRITES = `
CREATE FUNCTION pg_catalog.souk_no_writes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the database is over its storage limit: writes are stopped'
    USING ERRCODE = 'disk_full', HINT = 'Delete or truncate data, and writes come back by themselves.';
END $$;
CREATE FUNCTION pg_catalog.souk_no_ddl() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'the database is over its storage limit: % is stopped', tg_tag
      USING ERRCODE = 'disk_full', HINT = 'Delete or truncate data, and writes come back by themselves.';
  END IF;
END $$;
CREATE EVENT TRIGGER souk_no_ddl ON ddl_command_start EXECUTE FUNCTION pg_catalog.souk_no_ddl();
ALTER EVENT TRIGGER souk_no_ddl DISABLE;
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.souk_no_writes();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.souk_no_ddl();
ALTER EXTENSION plpgsql ADD EVENT TRIGGER souk_no_ddl;`;

/** Settings of other tenants' roles are nobody's business: a customer may keep a secret in one. */
const HIDE_SETTINGS = `
DO $$
DECLARE
  mine CONSTANT text := 'CASE WHEN pg_has_role(pg_authid.oid, ''USAGE'') THEN s.setconfig END';
BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_roles AS '
    || replace(pg_get_viewdef('pg_catalog.pg_roles'::regclass), 's.setconfig', mine);
  EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_shadow AS '
    || replace(pg_get_viewdef('pg_catalog.pg_shadow'::regclass), 's.setconfig', mine);
END $$;
REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC;`;

/** Dumps hold what differs from the rights of the first day; a customer's dump must not carry these to another server. */
const HIDE_FROM_DUMPS = `
CREATE TEMP TABLE hardened ON COMMIT DROP AS
  SELECT oid AS objoid, 'pg_proc'::regclass AS classoid, proacl AS acl FROM pg_proc
  WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(lo_.*|lowrite|pg_logical_emit_message)$'
  UNION ALL SELECT oid, 'pg_class'::regclass, relacl FROM pg_class
  WHERE oid IN ('pg_db_role_setting'::regclass, 'pg_roles'::regclass, 'pg_shadow'::regclass)
  UNION ALL SELECT oid, 'pg_namespace'::regclass, nspacl FROM pg_namespace WHERE nspname = 'public';
DELETE FROM pg_init_privs i USING hardened h
  WHERE i.objoid = h.objoid AND i.classoid = h.classoid AND i.objsubid = 0;
INSERT INTO pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
  SELECT objoid, classoid, 0, 'i', acl FROM hardened WHERE acl IS NOT NULL;`;

/** Run once inside the new template, as one transaction. */
export const HARDEN = `
BEGIN;
SET LOCAL allow_system_table_mods = on;
${HIDE_SETTINGS}
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO ${TENANT_GROUP};
REVOKE EXECUTE ON FUNCTION ${LARGE_OBJECT_WRITERS} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ${LARGE_OBJECT_WRITERS} TO ${TENANT_GROUP};
DO $$
DECLARE
  emitter regprocedure;
BEGIN
  -- It writes to the log of the whole cluster, past every quota.
  FOR emitter IN SELECT oid FROM pg_proc WHERE proname = 'pg_logical_emit_message' LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', emitter);
  END LOOP;
END $$;
${HIDE_FROM_DUMPS}
${STOP_WRITES}
${KEEP_OWNERSHIP}
COMMIT;`;
