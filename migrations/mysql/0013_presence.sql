-- Until when somebody counts as being here, and as looking; both are moved on while that is so. Only of users who
-- share it, and only ever read to be shown: losing this table loses nothing that was said.
CREATE TABLE presence (
    user_id      BIGINT NOT NULL PRIMARY KEY,
    here_until   BIGINT NOT NULL,
    active_until BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    CONSTRAINT presence_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
