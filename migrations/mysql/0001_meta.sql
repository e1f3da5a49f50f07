-- One row per fact about this installation: `epoch` (the lineage that cursors belong to), `install` (names this
-- database on a shared bus).
CREATE TABLE meta (
    name  VARCHAR(64)  NOT NULL PRIMARY KEY,
    value VARCHAR(255) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
