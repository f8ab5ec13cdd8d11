-- People and what they may do.
CREATE TABLE accounts (
  id uuid CONSTRAINT accounts_pkey PRIMARY KEY,
  email text NOT NULL,
  name text,
  is_operator boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX accounts_email_key ON accounts (lower(email));

-- A token is stored as its SHA-256 only: 256 random bits need no slow hash, and a leaked table opens nothing.
CREATE TABLE access_tokens (
  id uuid CONSTRAINT access_tokens_pkey PRIMARY KEY,
  account_id uuid NOT NULL CONSTRAINT access_tokens_account_id_fkey REFERENCES accounts,
  token_hash bytea NOT NULL CONSTRAINT access_tokens_token_hash_key UNIQUE,
  description text NOT NULL,
  scopes text[] NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_account_id_idx ON access_tokens (account_id);

-- Who did what. Rows are never changed; `seal_*` are filled in once, after the commit, by the sealer.
CREATE TABLE audit_events (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_events_pkey PRIMARY KEY,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL CONSTRAINT audit_events_actor_kind_check CHECK (actor_kind IN ('account', 'provider', 'system')),
  actor_id uuid,
  actor_name text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  app_id uuid,
  request_id text,
  details jsonb NOT NULL DEFAULT '{}',
  seal_seq bigint CONSTRAINT audit_events_seal_seq_key UNIQUE,
  seal_hash bytea
);
CREATE INDEX audit_events_unsealed_idx ON audit_events (id) WHERE seal_seq IS NULL;
CREATE INDEX audit_events_subject_idx ON audit_events (subject_kind, subject_id, id);

CREATE FUNCTION audit_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.seal_seq IS NULL
     AND (to_jsonb(NEW) - 'seal_seq' - 'seal_hash') = (to_jsonb(OLD) - 'seal_seq' - 'seal_hash') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit_events is append-only';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
  FOR EACH ROW EXECUTE FUNCTION audit_events_are_append_only();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION audit_events_are_append_only();

-- Processes remember whose tokens are used; this tells them of what changes. An empty payload means: forget all.
CREATE FUNCTION tell_of_changed_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('souk_tokens', encode(OLD.token_hash, 'hex'));
  RETURN NULL;
END $$;
CREATE TRIGGER access_tokens_notify AFTER UPDATE OR DELETE ON access_tokens
  FOR EACH ROW EXECUTE FUNCTION tell_of_changed_token();
CREATE FUNCTION tell_of_changed_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('souk_tokens', '');
  RETURN NULL;
END $$;
CREATE TRIGGER accounts_notify AFTER UPDATE OR DELETE ON accounts
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_changed_account();
