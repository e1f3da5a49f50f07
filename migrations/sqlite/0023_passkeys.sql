-- Passkeys. `credential_hash` finds one by the name that the authenticator gave it; `public_key` is in COSE's form.
CREATE TABLE passkeys (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id         INTEGER NOT NULL REFERENCES users (id),
    credential_hash TEXT    NOT NULL UNIQUE,
    credential_id   BLOB    NOT NULL,
    public_key      BLOB    NOT NULL,
    sign_count      INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);
