ALTER TABLE operations VALIDATE CONSTRAINT operations_type_check;
ALTER TABLE operations VALIDATE CONSTRAINT operations_state_check;
ALTER TABLE operations VALIDATE CONSTRAINT operations_plan_check;
