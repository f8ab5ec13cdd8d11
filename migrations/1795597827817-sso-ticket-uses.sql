-- A ticket for single sign-on is sealed, not stored. This remembers those that were used, so that none works twice.
CREATE TABLE sso_ticket_uses (
  ticket_hash bytea CONSTRAINT sso_ticket_uses_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT sso_ticket_uses_addon_id_fkey REFERENCES addons,
  account_id uuid NOT NULL CONSTRAINT sso_ticket_uses_account_id_fkey REFERENCES accounts,
  used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sso_ticket_uses_expires_at_idx ON sso_ticket_uses (expires_at);
