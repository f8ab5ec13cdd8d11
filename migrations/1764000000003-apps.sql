CREATE TABLE apps (
  id uuid CONSTRAINT apps_pkey PRIMARY KEY,
  name text NOT NULL,
  owner_id uuid NOT NULL CONSTRAINT apps_owner_id_fkey REFERENCES accounts,
  region text NOT NULL,
  maintenance boolean NOT NULL DEFAULT false,
  -- The newest release. The row lock on the app makes versions gapless and serialises writers of its config.
  release_version integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  released_at timestamptz,
  -- A destroyed app keeps its row: bills and the audit trail still name it.
  destroyed_at timestamptz
);
CREATE UNIQUE INDEX apps_name_key ON apps (name) WHERE destroyed_at IS NULL;
CREATE INDEX apps_owner_id_idx ON apps (owner_id, name) WHERE destroyed_at IS NULL;

CREATE TABLE releases (
  id uuid CONSTRAINT releases_pkey PRIMARY KEY,
  app_id uuid NOT NULL CONSTRAINT releases_app_id_fkey REFERENCES apps,
  version integer NOT NULL,
  description text NOT NULL,
  actor_id uuid,
  actor_name text NOT NULL,
  -- Names only, never values: {"set": [...], "unset": [...]}.
  changes jsonb NOT NULL,
  addon_plan_names text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  CONSTRAINT releases_app_id_version_key UNIQUE (app_id, version)
);
CREATE FUNCTION releases_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'releases are immutable';
END $$;
CREATE TRIGGER releases_immutable BEFORE UPDATE OR DELETE ON releases
  FOR EACH ROW EXECUTE FUNCTION releases_are_immutable();
CREATE TRIGGER releases_no_truncate BEFORE TRUNCATE ON releases
  FOR EACH STATEMENT EXECUTE FUNCTION releases_are_immutable();

-- The whole environment of one release, encrypted: {"own": {...}, "addons": {...}}. Apart from the release, because
-- rotating keys rewrites the ciphertext while the release itself never changes.
CREATE TABLE release_environments (
  app_id uuid NOT NULL CONSTRAINT release_environments_app_id_fkey REFERENCES apps,
  version integer NOT NULL,
  ciphertext bytea NOT NULL,
  key_id text NOT NULL,
  CONSTRAINT release_environments_pkey PRIMARY KEY (app_id, version)
);
CREATE INDEX release_environments_key_id_idx ON release_environments (key_id);

-- Config var names that add-ons hold on an app, from the moment the add-on is asked for: nobody else may take them.
CREATE TABLE reserved_config_vars (
  app_id uuid NOT NULL CONSTRAINT reserved_config_vars_app_id_fkey REFERENCES apps,
  name text NOT NULL,
  attachment_id uuid NOT NULL,
  CONSTRAINT reserved_config_vars_pkey PRIMARY KEY (app_id, name)
);
CREATE INDEX reserved_config_vars_attachment_id_idx ON reserved_config_vars (attachment_id);
