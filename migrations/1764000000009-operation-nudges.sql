-- A reconciler that gives an operation a fresh job leaves it alone for a while. This was kept in next_attempt_at, which
-- then no longer told when the next call may be made.
ALTER TABLE operations ADD COLUMN nudged_until timestamptz;
