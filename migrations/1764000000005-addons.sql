CREATE TABLE addons (
  id uuid CONSTRAINT addons_pkey PRIMARY KEY,
  name text NOT NULL,
  -- The app that owns and pays for it.
  app_id uuid NOT NULL CONSTRAINT addons_app_id_fkey REFERENCES apps,
  addon_service_id uuid NOT NULL CONSTRAINT addons_addon_service_id_fkey REFERENCES addon_services,
  plan_id uuid NOT NULL CONSTRAINT addons_plan_id_fkey REFERENCES plans,
  region text NOT NULL,
  state text NOT NULL CONSTRAINT addons_state_check
    CHECK (state IN ('provisioning', 'provisioned', 'deprovisioning', 'deprovisioned')),
  -- The id that the provider gave it; null while unknown.
  provider_id text,
  provision_message text,
  -- Encrypted JSON of the options given at creation: they may hold passwords.
  options_ciphertext bytea NOT NULL,
  options_key_id text NOT NULL,
  -- Encrypted JSON of the provider's config, under the provider's own names; null until provisioned.
  config_ciphertext bytea,
  config_key_id text,
  billed_cents bigint NOT NULL,
  billed_currency text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  provisioned_at timestamptz,
  -- Set when a delete was asked for; charges end here.
  delete_requested_at timestamptz,
  -- Set when the customer's side is over; the row stays for bills and audit.
  removed_at timestamptz,
  -- Whether it ended because it could not be provisioned.
  failed boolean NOT NULL DEFAULT false,
  CONSTRAINT addons_config_check CHECK ((config_ciphertext IS NULL) = (config_key_id IS NULL)),
  CONSTRAINT addons_removed_check CHECK ((state = 'deprovisioned') = (removed_at IS NOT NULL))
);
CREATE UNIQUE INDEX addons_name_key ON addons (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX addons_provider_id_key ON addons (addon_service_id, provider_id) WHERE removed_at IS NULL;
CREATE INDEX addons_app_id_idx ON addons (app_id, id);
CREATE INDEX addons_plan_id_idx ON addons (plan_id);
CREATE INDEX addons_name_idx ON addons (name);

-- History from the first day on: bills are made from these rows, and audits read them.
CREATE TABLE addon_state_periods (
  addon_id uuid NOT NULL CONSTRAINT addon_state_periods_addon_id_fkey REFERENCES addons,
  state text NOT NULL,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT addon_state_periods_order_check CHECK (ended_at IS NULL OR ended_at >= began_at)
);
CREATE UNIQUE INDEX addon_state_periods_open_key ON addon_state_periods (addon_id) WHERE ended_at IS NULL;
CREATE INDEX addon_state_periods_addon_id_idx ON addon_state_periods (addon_id, began_at);

-- A plan period is what is charged for: it begins when the add-on is first provisioned and ends when deletion is asked for.
CREATE TABLE addon_plan_periods (
  addon_id uuid NOT NULL CONSTRAINT addon_plan_periods_addon_id_fkey REFERENCES addons,
  plan_id uuid NOT NULL CONSTRAINT addon_plan_periods_plan_id_fkey REFERENCES plans,
  price_cents bigint NOT NULL,
  price_currency text NOT NULL,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT addon_plan_periods_order_check CHECK (ended_at IS NULL OR ended_at >= began_at)
);
CREATE UNIQUE INDEX addon_plan_periods_open_key ON addon_plan_periods (addon_id) WHERE ended_at IS NULL;
CREATE INDEX addon_plan_periods_addon_id_idx ON addon_plan_periods (addon_id, began_at);

CREATE TABLE addon_owner_periods (
  addon_id uuid NOT NULL CONSTRAINT addon_owner_periods_addon_id_fkey REFERENCES addons,
  app_id uuid NOT NULL CONSTRAINT addon_owner_periods_app_id_fkey REFERENCES apps,
  account_id uuid NOT NULL CONSTRAINT addon_owner_periods_account_id_fkey REFERENCES accounts,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT addon_owner_periods_order_check CHECK (ended_at IS NULL OR ended_at >= began_at)
);
CREATE UNIQUE INDEX addon_owner_periods_open_key ON addon_owner_periods (addon_id) WHERE ended_at IS NULL;
CREATE INDEX addon_owner_periods_addon_id_idx ON addon_owner_periods (addon_id, began_at);

-- What a provider has to say about an add-on now, one row a condition (e.g. "storage").
CREATE TABLE addon_notices (
  id uuid CONSTRAINT addon_notices_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT addon_notices_addon_id_fkey REFERENCES addons,
  key text NOT NULL,
  severity text NOT NULL CONSTRAINT addon_notices_severity_check CHECK (severity IN ('info', 'warning', 'critical')),
  message text NOT NULL,
  created_at timestamptz NOT NULL,
  cleared_at timestamptz
);
CREATE UNIQUE INDEX addon_notices_open_key ON addon_notices (addon_id, key) WHERE cleared_at IS NULL;
CREATE INDEX addon_notices_addon_id_idx ON addon_notices (addon_id, created_at);

CREATE TABLE attachments (
  id uuid CONSTRAINT attachments_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT attachments_addon_id_fkey REFERENCES addons,
  app_id uuid NOT NULL CONSTRAINT attachments_app_id_fkey REFERENCES apps,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  detached_at timestamptz
);
CREATE UNIQUE INDEX attachments_app_id_name_key ON attachments (app_id, name) WHERE detached_at IS NULL;
CREATE INDEX attachments_addon_id_idx ON attachments (addon_id) WHERE detached_at IS NULL;
