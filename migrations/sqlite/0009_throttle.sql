-- One row per limited thing (a hash of what it is): the time at which its allowance will be whole again.
CREATE TABLE throttle (
    name     TEXT    NOT NULL PRIMARY KEY,
    whole_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX throttle_age ON throttle (whole_at);
