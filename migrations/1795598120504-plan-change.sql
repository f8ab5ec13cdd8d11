-- A plan change is an operation that leads to a plan, at the price that was shown when it was asked for.
ALTER TABLE operations
  ADD COLUMN plan_id uuid CONSTRAINT operations_plan_id_fkey REFERENCES plans,
  ADD COLUMN price_cents bigint,
  ADD COLUMN price_currency text,
  DROP CONSTRAINT operations_type_check,
  DROP CONSTRAINT operations_state_check;
ALTER TABLE operations
  ADD CONSTRAINT operations_type_check CHECK (type IN ('provision', 'deprovision', 'plan_change')) NOT VALID,
  ADD CONSTRAINT operations_state_check
    CHECK (state IN ('queued', 'calling', 'unsure', 'waiting', 'cleaning', 'reverting', 'succeeded', 'failed')) NOT VALID,
  ADD CONSTRAINT operations_plan_check
    CHECK ((type = 'plan_change') = (plan_id IS NOT NULL)
      AND (plan_id IS NULL) = (price_cents IS NULL) AND (plan_id IS NULL) = (price_currency IS NULL)) NOT VALID;
-- For the history of a service's plan changes, and for an import that asks whether anybody leads to a plan.
CREATE INDEX operations_plan_id_idx ON operations (plan_id, finished_at) WHERE plan_id IS NOT NULL;
