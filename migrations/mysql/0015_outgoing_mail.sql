-- Mail on its way out. `content` is sealed: it may hold a link that lets somebody in. A row is taken by moving `due_at`
-- to the end of the time its sender has, and goes when its mail was sent or given up.
CREATE TABLE outgoing_mail (
    id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    purpose    VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    recipient  VARCHAR(254) NOT NULL,
    content    MEDIUMBLOB   NOT NULL,
    created_at BIGINT       NOT NULL,
    due_at     BIGINT       NOT NULL,
    expires_at BIGINT       NOT NULL,
    tries      BIGINT       NOT NULL,
    tried_at   BIGINT,
    last_error VARCHAR(400) NOT NULL,
    KEY outgoing_mail_due (due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
