-- Pictures of people, as chatd has drawn them anew: one of each user, named by its hash.
CREATE TABLE avatars (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    name    TEXT    NOT NULL,
    content BLOB    NOT NULL
);
CREATE INDEX avatars_name ON avatars (name);
