-- Links that are sent by mail. Only a hash of the token is stored; `content` is sealed. `user_id` is null for an account
-- that is still to be made.
CREATE TABLE account_links (
    token_hash CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    purpose    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id    BIGINT,
    content    BLOB        NOT NULL,
    created_at BIGINT      NOT NULL,
    expires_at BIGINT      NOT NULL,
    KEY account_links_user (user_id),
    KEY account_links_expiry (expires_at),
    CONSTRAINT account_links_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
