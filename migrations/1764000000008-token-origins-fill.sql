-- The audit trail knows which tokens the start-up made. The account of this address is the one that it makes by itself.
UPDATE access_tokens t
SET origin = CASE WHEN a.email = 'operator@souk.localhost' THEN 'folder' ELSE 'settings' END,
    description = CASE WHEN a.email = 'operator@souk.localhost' THEN 'operator, from the server''s folder'
      ELSE 'operator, from the server''s settings' END
FROM accounts a
WHERE a.id = t.account_id AND EXISTS (
  SELECT 1 FROM audit_events e
  WHERE e.action = 'token.created' AND e.actor_kind = 'system' AND e.subject_kind = 'token' AND e.subject_id = t.id::text
);
