-- What names look like: the first user with a look keeps it, and nobody who signs up gets a name of the same one.
CREATE TABLE name_looks (
    look_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    user_id   BIGINT NOT NULL,
    CONSTRAINT name_looks_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
