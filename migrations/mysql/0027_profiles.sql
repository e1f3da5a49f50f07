-- What people say of themselves. Who has said nothing has no row; what is empty has not been said. `avatar` is the name of
-- the picture in `avatars`.
CREATE TABLE profiles (
    user_id      BIGINT       NOT NULL PRIMARY KEY,
    display_name VARCHAR(64)  NOT NULL,
    about        VARCHAR(200) NOT NULL,
    time_zone    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    language     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    avatar       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version      BIGINT       NOT NULL,
    changed_at   BIGINT       NOT NULL,
    CONSTRAINT profiles_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
