-- Forward only. Constraints have names; a merged migration is never changed.

-- Who publishes a service. The account whose push claimed the slug is the first.
CREATE TABLE service_makers (
  addon_service_id uuid NOT NULL CONSTRAINT service_makers_addon_service_id_fkey REFERENCES addon_services,
  account_id uuid NOT NULL CONSTRAINT service_makers_account_id_fkey REFERENCES accounts,
  created_at timestamptz NOT NULL,
  CONSTRAINT service_makers_pkey PRIMARY KEY (addon_service_id, account_id)
);
CREATE INDEX service_makers_account_id_idx ON service_makers (account_id);

-- Who may see and install a service that is not for everybody yet. By e-mail address, in lower case: an invitation may
-- come before the account, and does not tell whether there is one.
CREATE TABLE service_invitations (
  addon_service_id uuid NOT NULL CONSTRAINT service_invitations_addon_service_id_fkey REFERENCES addon_services,
  email text NOT NULL CONSTRAINT service_invitations_email_check CHECK (email = lower(email)),
  -- The maker who invited.
  account_id uuid NOT NULL CONSTRAINT service_invitations_account_id_fkey REFERENCES accounts,
  created_at timestamptz NOT NULL,
  CONSTRAINT service_invitations_pkey PRIMARY KEY (addon_service_id, email)
);
CREATE INDEX service_invitations_email_idx ON service_invitations (email);

-- Every manifest that was pushed, the newest being in force. A manifest holds secrets: the whole of it is encrypted.
CREATE TABLE manifest_revisions (
  id uuid CONSTRAINT manifest_revisions_pkey PRIMARY KEY,
  addon_service_id uuid NOT NULL CONSTRAINT manifest_revisions_addon_service_id_fkey REFERENCES addon_services,
  -- 1, 2, 3 … without gaps for each service: "$base" of the manifest.
  revision integer NOT NULL CONSTRAINT manifest_revisions_revision_check CHECK (revision > 0),
  -- Who pushed it.
  account_id uuid NOT NULL CONSTRAINT manifest_revisions_account_id_fkey REFERENCES accounts,
  contents_ciphertext bytea NOT NULL,
  contents_key_id text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT manifest_revisions_addon_service_id_revision_key UNIQUE (addon_service_id, revision)
);

-- Whom a plan is for: everybody; whoever knows its name; makers and invited accounts.
ALTER TABLE plans ADD COLUMN availability text NOT NULL DEFAULT 'all'
  CONSTRAINT plans_availability_check CHECK (availability IN ('all', 'hidden', 'invited'));
