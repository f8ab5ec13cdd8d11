CREATE TABLE operations (
  id uuid CONSTRAINT operations_pkey PRIMARY KEY,
  addon_id uuid NOT NULL CONSTRAINT operations_addon_id_fkey REFERENCES addons,
  type text NOT NULL CONSTRAINT operations_type_check CHECK (type IN ('provision', 'deprovision')),
  state text NOT NULL CONSTRAINT operations_state_check
    CHECK (state IN ('queued', 'calling', 'unsure', 'waiting', 'cleaning', 'succeeded', 'failed')),
  -- Counts claims; a worker whose attempt is no longer the row's has lost its claim.
  attempt integer NOT NULL DEFAULT 0,
  -- A claim is good until here; null: nobody holds one.
  lease_until timestamptz,
  next_attempt_at timestamptz NOT NULL,
  deadline_at timestamptz NOT NULL,
  actor_id uuid,
  actor_name text NOT NULL,
  -- For the operator: what went wrong last. Never holds a secret.
  last_error text,
  -- For the customer: the provider's refusal, neutralised.
  customer_message text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  finished_at timestamptz,
  CONSTRAINT operations_finished_check CHECK ((state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL))
);
-- At most one running operation an add-on, whatever the code believes.
CREATE UNIQUE INDEX operations_one_active_key ON operations (addon_id) WHERE finished_at IS NULL;
CREATE INDEX operations_due_idx ON operations (next_attempt_at) WHERE finished_at IS NULL;
CREATE INDEX operations_addon_id_idx ON operations (addon_id, created_at);

-- Each call to a provider, written when its verdict is known.
CREATE TABLE operation_attempts (
  operation_id uuid NOT NULL CONSTRAINT operation_attempts_operation_id_fkey REFERENCES operations,
  attempt integer NOT NULL,
  call text NOT NULL,
  began_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  verdict text NOT NULL,
  status integer,
  detail text,
  CONSTRAINT operation_attempts_pkey PRIMARY KEY (operation_id, attempt)
);

-- What could not be settled and a person should look at.
CREATE TABLE findings (
  id uuid CONSTRAINT findings_pkey PRIMARY KEY,
  kind text NOT NULL,
  addon_id uuid NOT NULL CONSTRAINT findings_addon_id_fkey REFERENCES addons,
  detail text NOT NULL,
  created_at timestamptz NOT NULL,
  resolved_at timestamptz
);
CREATE UNIQUE INDEX findings_open_key ON findings (addon_id, kind) WHERE resolved_at IS NULL;
