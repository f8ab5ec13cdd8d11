-- The provider lists what it holds when it is asked.
ALTER TABLE providers ADD COLUMN inventory boolean NOT NULL DEFAULT false;

-- When a provider's list was compared with our add-ons, and what came of it.
CREATE TABLE inventories (
  provider_id uuid CONSTRAINT inventories_pkey PRIMARY KEY
    CONSTRAINT inventories_provider_id_fkey REFERENCES providers,
  due_at timestamptz NOT NULL,
  -- The last comparison of a whole list; null: there was none yet.
  compared_at timestamptz,
  listed integer,
  -- Why the last list could not be had; null: it could.
  error text,
  -- What is seen to belong to nobody twice is deleted at the provider without a person's word.
  removes_orphans boolean NOT NULL DEFAULT false
);

ALTER TABLE findings
  ALTER COLUMN addon_id DROP NOT NULL,
  ADD COLUMN provider_id uuid CONSTRAINT findings_provider_id_fkey REFERENCES providers,
  -- The provider's own name of a resource that is no add-on of ours.
  ADD COLUMN resource text,
  -- What it costs somebody each month, where the plan is known.
  ADD COLUMN monthly_cents bigint,
  ADD COLUMN monthly_currency text,
  -- A removal at the provider was asked for, and when to try it next.
  ADD COLUMN removal_due_at timestamptz,
  -- Has a fresh job until then, so that no second one is made.
  ADD COLUMN removal_nudged_until timestamptz,
  ADD COLUMN removal_attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN removal_error text,
  ADD CONSTRAINT findings_subject_check CHECK (addon_id IS NOT NULL OR (provider_id IS NOT NULL AND resource IS NOT NULL));
CREATE UNIQUE INDEX findings_open_resource_key ON findings (provider_id, resource, kind)
  WHERE resolved_at IS NULL AND resource IS NOT NULL;
CREATE INDEX findings_resource_idx ON findings (provider_id, resource) WHERE resource IS NOT NULL;
CREATE INDEX findings_removal_due_idx ON findings (removal_due_at) WHERE resolved_at IS NULL AND removal_due_at IS NOT NULL;
