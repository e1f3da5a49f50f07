-- Links with which people make their accounts. Only a hash of the token is stored; `made_by` is null for the operator.
CREATE TABLE invites (
    id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    made_by    BIGINT,
    note       VARCHAR(200) NOT NULL,
    created_at BIGINT       NOT NULL,
    expires_at BIGINT       NOT NULL,
    most_uses  BIGINT       NOT NULL,
    uses       BIGINT       NOT NULL,
    revoked_at BIGINT,
    UNIQUE KEY invites_token (token_hash),
    KEY invites_maker (made_by, id),
    CONSTRAINT invites_maker FOREIGN KEY (made_by) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
