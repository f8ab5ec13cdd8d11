-- Who may work on an app beside its owner.
CREATE TABLE collaborators (
  id uuid CONSTRAINT collaborators_pkey PRIMARY KEY,
  app_id uuid NOT NULL CONSTRAINT collaborators_app_id_fkey REFERENCES apps,
  account_id uuid NOT NULL CONSTRAINT collaborators_account_id_fkey REFERENCES accounts,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT collaborators_app_id_account_id_key UNIQUE (app_id, account_id)
);
CREATE INDEX collaborators_account_id_idx ON collaborators (account_id, app_id);

-- Everybody who may use an app: its owner, who stands with the app and nowhere else, and its collaborators.
CREATE VIEW app_members AS
  SELECT id AS app_id, owner_id AS account_id FROM apps WHERE destroyed_at IS NULL
  UNION ALL
  SELECT app_id, account_id FROM collaborators;
