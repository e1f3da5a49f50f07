-- Finds people by their address, in whatever case it is written.
ALTER TABLE users
    ADD COLUMN email_key VARCHAR(254) GENERATED ALWAYS AS (LOWER(email)) VIRTUAL,
    ADD KEY users_email_key (email_key);
