-- One row per user and conversation: what the list shows, kept in the transaction that changes it and
-- recomputable from the messages. Unread is `peer_sent - peer_sent_read`.
CREATE TABLE user_conversations (
    user_id         INTEGER NOT NULL REFERENCES users (id),
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    peer_id         INTEGER NOT NULL REFERENCES users (id),
    last_seq        INTEGER NOT NULL,
    last_activity   INTEGER NOT NULL,
    peer_sent       INTEGER NOT NULL,
    read_seq        INTEGER NOT NULL,
    peer_sent_read  INTEGER NOT NULL,
    delivered_seq   INTEGER NOT NULL DEFAULT 0,
    muted_until     INTEGER,
    pinned_at       INTEGER,
    archived_at     INTEGER,
    PRIMARY KEY (user_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX user_conversations_activity ON user_conversations (user_id, last_activity, conversation_id);
