-- Authenticator apps, one for each user who has turned it on. `secret` is sealed. A code is good for one step of 30 seconds
-- and once: `last_step` is the last one that was used.
CREATE TABLE totp (
    user_id    INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    secret     BLOB    NOT NULL,
    last_step  INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
