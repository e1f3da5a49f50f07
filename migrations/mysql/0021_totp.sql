-- Authenticator apps, one for each user who has turned it on. `secret` is sealed. A code is good for one step of 30 seconds
-- and once: `last_step` is the last one that was used.
CREATE TABLE totp (
    user_id    BIGINT         NOT NULL PRIMARY KEY,
    secret     VARBINARY(255) NOT NULL,
    last_step  BIGINT         NOT NULL,
    created_at BIGINT         NOT NULL,
    CONSTRAINT totp_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
