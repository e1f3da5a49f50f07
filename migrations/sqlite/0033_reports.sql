-- Messages that somebody has reported to the staff. `content` is the message and those around it as they were then (JSON):
-- taking a message back must not take back what was reported.
CREATE TABLE reports (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    reporter_id INTEGER NOT NULL REFERENCES users (id),
    message_id  INTEGER NOT NULL REFERENCES messages (id),
    reason      TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    closed_at   INTEGER,
    closed_by   INTEGER REFERENCES users (id),
    UNIQUE (reporter_id, message_id)
);
