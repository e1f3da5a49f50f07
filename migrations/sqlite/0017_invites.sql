-- Links with which people make their accounts. Only a hash of the token is stored; `made_by` is null for the operator.
CREATE TABLE invites (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT    NOT NULL UNIQUE,
    made_by    INTEGER REFERENCES users (id),
    note       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    most_uses  INTEGER NOT NULL,
    uses       INTEGER NOT NULL,
    revoked_at INTEGER
);
CREATE INDEX invites_maker ON invites (made_by, id);
