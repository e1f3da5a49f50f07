-- What people take along, made in the background: one of each user. `claimed_until` is how long whoever makes it has; then
-- it is begun anew, as the next `attempt`. `done` and `total` count messages.
CREATE TABLE exports (
    id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id       BIGINT NOT NULL UNIQUE,
    state         BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    done          BIGINT NOT NULL,
    total         BIGINT NOT NULL,
    INDEX exports_state (state, claimed_until),
    FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
