-- Forward only. Constraints have names; a merged migration is never changed.

-- What a provider is sent with a provision request: good once, for a few minutes. Only hashes are kept.
CREATE TABLE addon_grants (
  code_hash bytea CONSTRAINT addon_grants_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT addon_grants_addon_id_fkey REFERENCES addons,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX addon_grants_addon_id_idx ON addon_grants (addon_id);

-- What a provider got for a grant, to act for one add-on.
CREATE TABLE addon_tokens (
  id uuid CONSTRAINT addon_tokens_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT addon_tokens_addon_id_fkey REFERENCES addons,
  kind text NOT NULL CONSTRAINT addon_tokens_kind_check CHECK (kind IN ('access', 'refresh')),
  token_hash bytea NOT NULL CONSTRAINT addon_tokens_token_hash_key UNIQUE,
  created_at timestamptz NOT NULL,
  -- null: it lives as long as the add-on.
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX addon_tokens_addon_id_idx ON addon_tokens (addon_id);

-- What the provider reported of an operation by a call of its own. It may come before the answer that it belongs to.
ALTER TABLE operations
  ADD COLUMN reported text CONSTRAINT operations_reported_check CHECK (reported IN ('done', 'broke')),
  ADD COLUMN reported_at timestamptz;
