-- The newest position of each user's event log. Made with the user; locking this row is what orders all writes
-- that concern the user, on any number of processes.
CREATE TABLE user_heads (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    pos     INTEGER NOT NULL,
    tag     INTEGER NOT NULL
);
