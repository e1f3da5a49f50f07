-- By what active people are found. `place` is where a name stands among all: its key, a zero byte, 0 for a username or 1,
-- and the user's number in eight bytes. `part` is 0 for the one name by which everybody is listed; else the number of
-- letters from which on the name is the first of this person's names that begin so.
CREATE TABLE people_names (
    part    INTEGER NOT NULL,
    place   BLOB    NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (part, place)
) WITHOUT ROWID;
CREATE INDEX people_names_user ON people_names (user_id);
