-- `seq` is gap-free in its conversation. `low_sent` is the running number of the lower user's messages, so that
-- unread is a subtraction. `fingerprint` is what the first send said; edits never touch it.
-- `client_key` is the sender's own (`own_key` = 1) or one that the server made for its own retries.
CREATE TABLE messages (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    seq             INTEGER NOT NULL,
    sender_id       INTEGER NOT NULL REFERENCES users (id),
    recipient_id    INTEGER NOT NULL REFERENCES users (id),
    sent_at         INTEGER NOT NULL,
    low_sent        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    client_key      TEXT    NOT NULL,
    own_key         INTEGER NOT NULL,
    fingerprint     BLOB    NOT NULL,
    body            TEXT    NOT NULL,
    edited_at       INTEGER,
    deleted_at      INTEGER,
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, client_key)
);
CREATE INDEX messages_sent ON messages (sender_id, sent_at, id);
CREATE INDEX messages_received ON messages (recipient_id, sent_at, id);
