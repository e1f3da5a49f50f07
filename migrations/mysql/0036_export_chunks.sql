-- The content of exports, compressed. `part` is 0 for the lines and 1 for the page. What belongs to no export any more, or
-- to an attempt that was given up, is swept away.
CREATE TABLE export_chunks (
    export_id BIGINT     NOT NULL,
    attempt   BIGINT     NOT NULL,
    part      BIGINT     NOT NULL,
    no        BIGINT     NOT NULL,
    content   MEDIUMBLOB NOT NULL,
    PRIMARY KEY (export_id, attempt, part, no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
