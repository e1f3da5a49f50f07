-- Each user's own log of changes, numbered from 1 without a gap; position 0 is the row a user starts with, so that
-- every cursor names a row. References, never bodies. `tag` is random: it exposes a database that was put back.
CREATE TABLE events (
    user_id         INTEGER NOT NULL REFERENCES users (id),
    pos             INTEGER NOT NULL,
    tag             INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    conversation_id INTEGER,
    seq             INTEGER,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (user_id, pos)
) WITHOUT ROWID;
CREATE INDEX events_age ON events (created_at);
