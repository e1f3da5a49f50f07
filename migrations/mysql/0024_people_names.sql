-- By what active people are found. `place` is where a name stands among all: its key, a zero byte, 0 for a username or 1,
-- and the user's number in eight bytes. `part` is 0 for the one name by which everybody is listed; else the number of
-- letters from which on the name is the first of this person's names that begin so.
CREATE TABLE people_names (
    part    SMALLINT       NOT NULL,
    place   VARBINARY(620) NOT NULL,
    user_id BIGINT         NOT NULL,
    PRIMARY KEY (part, place),
    KEY people_names_user (user_id),
    CONSTRAINT people_names_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
