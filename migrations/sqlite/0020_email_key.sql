-- Finds people by their address, in whatever case it is written.
ALTER TABLE users ADD COLUMN email_key TEXT GENERATED ALWAYS AS (lower(email)) VIRTUAL;
CREATE INDEX users_email_key ON users (email_key);
