-- One row per fact about this installation: `epoch` (the lineage that cursors belong to), `install` (names this
-- database on a shared bus).
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
