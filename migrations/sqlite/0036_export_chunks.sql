-- The content of exports, compressed. `part` is 0 for the lines and 1 for the page. What belongs to no export any more, or
-- to an attempt that was given up, is swept away.
CREATE TABLE export_chunks (
    export_id INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    no        INTEGER NOT NULL,
    content   BLOB    NOT NULL,
    PRIMARY KEY (export_id, attempt, part, no)
);
