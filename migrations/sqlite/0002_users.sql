-- `username` is as typed, `username_key` (NFKC, lower case) is what sign-in, `recipient` and `target` look for.
-- Rows are never removed: erasing a user blanks them, so that messages keep their people.
CREATE TABLE users (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    is_active     INTEGER NOT NULL,
    is_staff      INTEGER NOT NULL,
    is_superuser  INTEGER NOT NULL,
    date_joined   INTEGER NOT NULL,
    last_login    INTEGER,
    erased_at     INTEGER
);
