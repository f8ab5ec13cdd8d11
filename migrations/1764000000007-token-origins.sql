-- Who made a token: an account by a request, or the start-up from the settings or from the server's folder. A token of
-- the start-up is replaced by the next one of its kind; those that people made are left alone.
ALTER TABLE access_tokens ADD COLUMN origin text NOT NULL DEFAULT 'request'
  CONSTRAINT access_tokens_origin_check CHECK (origin IN ('request', 'settings', 'folder'));
