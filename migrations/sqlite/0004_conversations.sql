-- The unordered pair of two users (equal for notes to oneself). `low_sent` counts the lower user's messages.
CREATE TABLE conversations (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    low_user       INTEGER NOT NULL REFERENCES users (id),
    high_user      INTEGER NOT NULL REFERENCES users (id),
    last_seq       INTEGER NOT NULL,
    last_timestamp INTEGER NOT NULL,
    low_sent       INTEGER NOT NULL,
    UNIQUE (low_user, high_user),
    CHECK (low_user <= high_user)
);
