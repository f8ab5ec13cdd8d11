CREATE TABLE providers (
  id uuid CONSTRAINT providers_pkey PRIMARY KEY,
  slug text NOT NULL CONSTRAINT providers_slug_key UNIQUE,
  -- Bundled providers run on this machine and are exempt from the address guard.
  bundled boolean NOT NULL,
  base_url text NOT NULL,
  sso_url text,
  -- Encrypted JSON {"password", "ssoSalt"}.
  secrets_ciphertext bytea NOT NULL,
  secrets_key_id text NOT NULL,
  -- SHA-256 of the manifest without its secrets, as it was last imported: the same one again changes nothing.
  manifest_digest text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE addon_services (
  id uuid CONSTRAINT addon_services_pkey PRIMARY KEY,
  provider_id uuid NOT NULL CONSTRAINT addon_services_provider_id_fkey REFERENCES providers,
  name text NOT NULL CONSTRAINT addon_services_name_key UNIQUE,
  human_name text NOT NULL,
  state text NOT NULL CONSTRAINT addon_services_state_check CHECK (state IN ('alpha', 'beta', 'ga', 'shutdown')),
  config_vars_prefix text NOT NULL,
  config_vars text[] NOT NULL,
  regions text[] NOT NULL,
  requires text[] NOT NULL,
  -- What the first attachment on an app is called; null: the config var prefix.
  default_attachment text,
  compliance text[] NOT NULL DEFAULT '{}',
  cli_plugin_name text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE plans (
  id uuid CONSTRAINT plans_pkey PRIMARY KEY,
  addon_service_id uuid NOT NULL CONSTRAINT plans_addon_service_id_fkey REFERENCES addon_services,
  slug text NOT NULL,
  human_name text NOT NULL,
  description text NOT NULL DEFAULT '',
  price_cents bigint NOT NULL CONSTRAINT plans_price_cents_check CHECK (price_cents >= 0),
  price_currency text NOT NULL,
  price_metered boolean NOT NULL DEFAULT false,
  price_contract boolean NOT NULL DEFAULT false,
  is_default boolean NOT NULL DEFAULT false,
  -- false: nobody new may take it; those who hold it keep it.
  visible boolean NOT NULL DEFAULT true,
  features jsonb NOT NULL DEFAULT '{}',
  regions text[] NOT NULL DEFAULT '{}',
  compliance text[] NOT NULL DEFAULT '{}',
  position integer NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT plans_addon_service_id_slug_key UNIQUE (addon_service_id, slug)
);
CREATE UNIQUE INDEX plans_default_key ON plans (addon_service_id) WHERE is_default AND visible;
