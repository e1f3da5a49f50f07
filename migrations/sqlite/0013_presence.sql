-- Until when somebody counts as being here, and as looking; both are moved on while that is so. Only of users who
-- share it, and only ever read to be shown: losing this table loses nothing that was said.
CREATE TABLE presence (
    user_id      INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    here_until   INTEGER NOT NULL,
    active_until INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL
);
