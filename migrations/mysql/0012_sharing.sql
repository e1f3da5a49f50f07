-- Whether others see that a user types, and that the user is here; who does not share it does not see it of others.
ALTER TABLE users
    ADD COLUMN share_typing   TINYINT NOT NULL DEFAULT 1,
    ADD COLUMN share_presence TINYINT NOT NULL DEFAULT 1;
