-- How long a provider may take after a 202, by plan; from a minute to seven days.
ALTER TABLE plans ADD COLUMN async_deadline_seconds integer NOT NULL DEFAULT 43200
  CONSTRAINT plans_async_deadline_seconds_check CHECK (async_deadline_seconds BETWEEN 60 AND 604800);

-- Whether a provider answers, as all workers know it. No row: it does.
CREATE TABLE provider_circuits (
  provider_id uuid CONSTRAINT provider_circuits_pkey PRIMARY KEY
    CONSTRAINT provider_circuits_provider_id_fkey REFERENCES providers,
  state text NOT NULL CONSTRAINT provider_circuits_state_check CHECK (state IN ('closed', 'open', 'half_open')),
  -- The operations whose calls went unanswered since the last answer, each once.
  failing uuid[] NOT NULL,
  -- How often it opened since the last answer; each time it stays open longer.
  trips integer NOT NULL,
  opened_at timestamptz,
  -- Open: when one call may be tried. Half open: until when that call may take.
  probe_at timestamptz,
  -- Half open: the operation that tries.
  probe_operation_id uuid,
  updated_at timestamptz NOT NULL
);

-- What an operator has paused, and why. `target`: a provider's or plan's id, or a region's name.
CREATE TABLE pauses (
  id uuid CONSTRAINT pauses_pkey PRIMARY KEY,
  scope text NOT NULL CONSTRAINT pauses_scope_check CHECK (scope IN ('provider', 'plan', 'region')),
  target text NOT NULL,
  target_name text NOT NULL,
  reason text NOT NULL,
  paused_by text NOT NULL,
  created_at timestamptz NOT NULL,
  resumed_by text,
  resumed_at timestamptz
);
CREATE UNIQUE INDEX pauses_open_key ON pauses (scope, target) WHERE resumed_at IS NULL;

-- Why no call is made although its time has come; null: nothing keeps it.
ALTER TABLE operations ADD COLUMN held_by text
  CONSTRAINT operations_held_by_check CHECK (held_by IN ('paused', 'circuit'));
-- An operator gave it up while a worker was at it.
ALTER TABLE operations ADD COLUMN abandoned_at timestamptz;
-- Operators list operations by their age.
CREATE INDEX operations_created_at_idx ON operations (created_at, id);

-- What was sent and what came back: bounded, and every value that could be a secret masked before it was stored.
ALTER TABLE operation_attempts ADD COLUMN request jsonb;
ALTER TABLE operation_attempts ADD COLUMN reply jsonb;

-- Who closed a finding, and why.
ALTER TABLE findings ADD COLUMN resolved_by text;
ALTER TABLE findings ADD COLUMN resolution text;
CREATE INDEX findings_created_at_idx ON findings (created_at, id);
