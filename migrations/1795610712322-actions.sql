-- What customers can have done to an add-on, as the manifest declares it.
ALTER TABLE addon_services ADD COLUMN actions jsonb NOT NULL DEFAULT '[]';

-- A run of an action is an operation: one at a time for each add-on, with the same claims, deadlines and repeats.
ALTER TABLE operations DROP CONSTRAINT operations_type_check;
ALTER TABLE operations ADD CONSTRAINT operations_type_check
  CHECK (type IN ('provision', 'deprovision', 'plan_change', 'action')) NOT VALID;

-- What was asked for, and what came of it. Params and results may hold secrets.
CREATE TABLE action_runs (
  operation_id uuid CONSTRAINT action_runs_pkey PRIMARY KEY
    CONSTRAINT action_runs_operation_id_fkey REFERENCES operations,
  name text NOT NULL,
  kind text NOT NULL CONSTRAINT action_runs_kind_check CHECK (kind IN ('command', 'query')),
  params_ciphertext bytea NOT NULL,
  params_key_id text NOT NULL,
  result_ciphertext bytea,
  result_key_id text,
  -- For the customer: the provider's words on a success, neutralised.
  message text
);
