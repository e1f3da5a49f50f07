-- Each user's own log of changes, numbered from 1 without a gap; position 0 is the row a user starts with, so that
-- every cursor names a row. References, never bodies. `tag` is random: it exposes a database that was put back.
CREATE TABLE events (
    user_id         BIGINT   NOT NULL,
    pos             BIGINT   NOT NULL,
    tag             BIGINT   NOT NULL,
    kind            SMALLINT NOT NULL,
    conversation_id BIGINT,
    seq             BIGINT,
    created_at      BIGINT   NOT NULL,
    PRIMARY KEY (user_id, pos),
    KEY events_age (created_at),
    CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
