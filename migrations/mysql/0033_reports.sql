-- Messages that somebody has reported to the staff. `content` is the message and those around it as they were then (JSON):
-- taking a message back must not take back what was reported.
CREATE TABLE reports (
    id          BIGINT     NOT NULL AUTO_INCREMENT PRIMARY KEY,
    reporter_id BIGINT     NOT NULL,
    message_id  BIGINT     NOT NULL,
    reason      TEXT       NOT NULL,
    content     MEDIUMTEXT NOT NULL,
    created_at  BIGINT     NOT NULL,
    closed_at   BIGINT,
    closed_by   BIGINT,
    UNIQUE KEY reports_once (reporter_id, message_id),
    CONSTRAINT reports_reporter FOREIGN KEY (reporter_id) REFERENCES users (id),
    CONSTRAINT reports_message FOREIGN KEY (message_id) REFERENCES messages (id),
    CONSTRAINT reports_closer FOREIGN KEY (closed_by) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
