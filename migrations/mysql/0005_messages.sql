-- `seq` is gap-free in its conversation. `low_sent` is the running number of the lower user's messages, so that
-- unread is a subtraction. `fingerprint` is what the first send said; edits never touch it.
-- `client_key` is the sender's own (`own_key` = 1) or one that the server made for its own retries.
CREATE TABLE messages (
    id              BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    conversation_id BIGINT      NOT NULL,
    seq             BIGINT      NOT NULL,
    sender_id       BIGINT      NOT NULL,
    recipient_id    BIGINT      NOT NULL,
    sent_at         BIGINT      NOT NULL,
    low_sent        BIGINT      NOT NULL,
    version         BIGINT      NOT NULL,
    client_key      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    own_key         TINYINT     NOT NULL,
    fingerprint     BINARY(32)  NOT NULL,
    body            LONGTEXT    NOT NULL,
    edited_at       BIGINT,
    deleted_at      BIGINT,
    UNIQUE KEY messages_seq (conversation_id, seq),
    UNIQUE KEY messages_client_key (sender_id, client_key),
    KEY messages_sent (sender_id, sent_at, id),
    KEY messages_received (recipient_id, sent_at, id),
    CONSTRAINT messages_conversation FOREIGN KEY (conversation_id) REFERENCES conversations (id),
    CONSTRAINT messages_sender FOREIGN KEY (sender_id) REFERENCES users (id),
    CONSTRAINT messages_recipient FOREIGN KEY (recipient_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
