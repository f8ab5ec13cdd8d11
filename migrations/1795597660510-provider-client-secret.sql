-- Forward only. Constraints have names; a merged migration is never changed.

-- What a provider proves itself with when it exchanges a grant. null: it was given none yet.
ALTER TABLE providers
  ADD COLUMN client_secret_ciphertext bytea,
  ADD COLUMN client_secret_key_id text;
