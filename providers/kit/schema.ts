import type { Database } from './database.js';

/** One step of a schema's history: merged steps are frozen, new ones come behind. */
export interface Migration {
  name: string;
  sql: string;
}

/** The tables that the kit itself needs. */
export const KIT_MIGRATIONS: Migration[] = [
  {
    name: 'kit-1-resources',
    sql: `
      CREATE TABLE kit.resources (
        uuid uuid CONSTRAINT resources_pkey PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT resources_position_key UNIQUE,
        state text NOT NULL CONSTRAINT resources_state_check
          CHECK (state IN ('creating', 'ready', 'deleting', 'deleted')),
        plan text,
        region text,
        facts jsonb NOT NULL DEFAULT '{}',
        sealed bytea,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT resources_live_check
          CHECK (state = 'deleted' OR (plan IS NOT NULL AND sealed IS NOT NULL))
      );
      CREATE INDEX resources_live_idx ON kit.resources (position) WHERE state <> 'deleted';`,
  },
  {
    name: 'kit-2-notices',
    sql: `
      CREATE TABLE kit.notices (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT notices_pkey PRIMARY KEY,
        uuid uuid NOT NULL,
        key text NOT NULL,
        severity text NOT NULL,
        message text NOT NULL,
        cleared boolean NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX notices_order_idx ON kit.notices (uuid, id);`,
  },
  {
    name: 'kit-3-platform-links',
    sql: `
      CREATE TABLE kit.platform_links (
        uuid uuid CONSTRAINT platform_links_pkey PRIMARY KEY,
        sealed bytea NOT NULL,
        exchange_due boolean NOT NULL,
        version integer NOT NULL DEFAULT 1,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX platform_links_due_idx ON kit.platform_links (updated_at) WHERE exchange_due;`,
  },
  {
    name: 'kit-4-pending-work',
    sql: `
      CREATE TABLE kit.pending_work (
        uuid uuid CONSTRAINT pending_work_pkey PRIMARY KEY,
        stage text NOT NULL CONSTRAINT pending_work_stage_check
          CHECK (stage IN ('create', 'report', 'undo', 'report-failure')),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL,
        deadline_at timestamptz NOT NULL
      );
      CREATE INDEX pending_work_due_idx ON kit.pending_work (due_at);`,
  },
  {
    name: 'kit-5-action-runs',
    sql: `
      CREATE TABLE kit.action_runs (
        run uuid CONSTRAINT action_runs_pkey PRIMARY KEY,
        uuid uuid NOT NULL,
        name text NOT NULL,
        sealed bytea NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX action_runs_resource_idx ON kit.action_runs (uuid, created_at);`,
  },
];

/** Two programs that start at once must not both migrate; the number names this lock and nothing else. */
const MIGRATION_LOCK = 7_311_901_477;

/** Brings the schema up to date; each step and its mark are one transaction. */
export async function migrate(database: Database, migrations: Migration[]): Promise<void> {
  await database.transaction(async (session) => {
    await session.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await session.query('CREATE SCHEMA IF NOT EXISTS kit');
    await session.query('CREATE TABLE IF NOT EXISTS kit.migrations (name text PRIMARY KEY)');
    const done = await session.query<{ name: string }>('SELECT name FROM kit.migrations');
    for (const { name, sql } of migrations) {
      if (done.some((one) => one.name === name)) continue;
      await session.query(sql);
      await session.query('INSERT INTO kit.migrations (name) VALUES ($1)', [name]);
    }
  });
}
