-- Mail on its way out. `content` is sealed: it may hold a link that lets somebody in. A row is taken by moving `due_at`
-- to the end of the time its sender has, and goes when its mail was sent or given up.
CREATE TABLE outgoing_mail (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    purpose    TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    content    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    tried_at   INTEGER,
    last_error TEXT    NOT NULL
);
CREATE INDEX outgoing_mail_due ON outgoing_mail (due_at);
