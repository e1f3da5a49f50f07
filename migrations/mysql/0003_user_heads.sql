-- The newest position of each user's event log. Made with the user; locking this row is what orders all writes
-- that concern the user, on any number of processes.
CREATE TABLE user_heads (
    user_id BIGINT NOT NULL PRIMARY KEY,
    pos     BIGINT NOT NULL,
    tag     BIGINT NOT NULL,
    CONSTRAINT user_heads_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
