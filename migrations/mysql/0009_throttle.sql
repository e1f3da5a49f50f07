-- One row per limited thing (a hash of what it is): the time at which its allowance will be whole again.
CREATE TABLE throttle (
    name     CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    whole_at BIGINT NOT NULL,
    KEY throttle_age (whole_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
