-- What people say of themselves. Who has said nothing has no row; what is empty has not been said. `avatar` is the name of
-- the picture in `avatars`.
CREATE TABLE profiles (
    user_id      INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    display_name TEXT    NOT NULL,
    about        TEXT    NOT NULL,
    time_zone    TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    avatar       TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
);
