-- One row per user and conversation: what the list shows, kept in the transaction that changes it and
-- recomputable from the messages. Unread is `peer_sent - peer_sent_read`.
CREATE TABLE user_conversations (
    user_id         BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    peer_id         BIGINT NOT NULL,
    last_seq        BIGINT NOT NULL,
    last_activity   BIGINT NOT NULL,
    peer_sent       BIGINT NOT NULL,
    read_seq        BIGINT NOT NULL,
    peer_sent_read  BIGINT NOT NULL,
    delivered_seq   BIGINT NOT NULL DEFAULT 0,
    muted_until     BIGINT,
    pinned_at       BIGINT,
    archived_at     BIGINT,
    PRIMARY KEY (user_id, conversation_id),
    KEY user_conversations_activity (user_id, last_activity, conversation_id),
    CONSTRAINT user_conversations_user FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT user_conversations_peer FOREIGN KEY (peer_id) REFERENCES users (id),
    CONSTRAINT user_conversations_conversation FOREIGN KEY (conversation_id) REFERENCES conversations (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
