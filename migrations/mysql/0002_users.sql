-- `username` is as typed, `username_key` (NFKC, lower case) is what sign-in, `recipient` and `target` look for.
-- Rows are never removed: erasing a user blanks them, so that messages keep their people.
CREATE TABLE users (
    id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username      VARCHAR(150) NOT NULL,
    username_key  VARCHAR(150) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    email         VARCHAR(254) NOT NULL,
    is_active     TINYINT      NOT NULL,
    is_staff      TINYINT      NOT NULL,
    is_superuser  TINYINT      NOT NULL,
    date_joined   BIGINT       NOT NULL,
    last_login    BIGINT,
    erased_at     BIGINT,
    UNIQUE KEY users_username_key (username_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
