-- One row per account and network from which it signed in (a hash of the two): until when that is remembered.
CREATE TABLE known_networks (
    name        TEXT    NOT NULL PRIMARY KEY,
    known_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX known_networks_age ON known_networks (known_until);
