ALTER TABLE operations VALIDATE CONSTRAINT operations_type_check;
