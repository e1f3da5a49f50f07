-- One row per account and network from which it signed in (a hash of the two): until when that is remembered.
CREATE TABLE known_networks (
    name        CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    known_until BIGINT NOT NULL,
    KEY known_networks_age (known_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
