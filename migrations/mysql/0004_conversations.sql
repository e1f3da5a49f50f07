-- The unordered pair of two users (equal for notes to oneself). `low_sent` counts the lower user's messages.
CREATE TABLE conversations (
    id             BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    low_user       BIGINT NOT NULL,
    high_user      BIGINT NOT NULL,
    last_seq       BIGINT NOT NULL,
    last_timestamp BIGINT NOT NULL,
    low_sent       BIGINT NOT NULL,
    UNIQUE KEY conversations_pair (low_user, high_user),
    CONSTRAINT conversations_low FOREIGN KEY (low_user) REFERENCES users (id),
    CONSTRAINT conversations_high FOREIGN KEY (high_user) REFERENCES users (id),
    CONSTRAINT conversations_order CHECK (low_user <= high_user)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
