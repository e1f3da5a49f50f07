-- Passkeys. `credential_hash` finds one by the name that the authenticator gave it; `public_key` is in COSE's form.
CREATE TABLE passkeys (
    id              BIGINT          NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id         BIGINT          NOT NULL,
    credential_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    credential_id   VARBINARY(1023) NOT NULL,
    public_key      VARBINARY(2048) NOT NULL,
    sign_count      BIGINT          NOT NULL,
    name            VARCHAR(100)    NOT NULL,
    created_at      BIGINT          NOT NULL,
    last_used_at    BIGINT,
    UNIQUE KEY passkeys_credential (credential_hash),
    KEY passkeys_user (user_id, id),
    CONSTRAINT passkeys_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
