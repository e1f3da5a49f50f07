-- Pictures of people, as chatd has drawn them anew: one of each user, named by its hash.
CREATE TABLE avatars (
    user_id BIGINT     NOT NULL PRIMARY KEY,
    name    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    content MEDIUMBLOB NOT NULL,
    KEY avatars_name (name),
    CONSTRAINT avatars_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
