-- What names look like: the first user with a look keeps it, and nobody who signs up gets a name of the same one.
CREATE TABLE name_looks (
    look_hash TEXT    NOT NULL PRIMARY KEY,
    user_id   INTEGER NOT NULL REFERENCES users (id)
) WITHOUT ROWID;
