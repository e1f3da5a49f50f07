-- What people take along, made in the background: one of each user. `claimed_until` is how long whoever makes it has; then
-- it is begun anew, as the next `attempt`. `done` and `total` count messages.
CREATE TABLE exports (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL UNIQUE REFERENCES users (id),
    state         INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    done          INTEGER NOT NULL,
    total         INTEGER NOT NULL
);
CREATE INDEX exports_state ON exports (state, claimed_until);
